// Messages of the services by method, from the proto files that users get, with the usual gRPC library.
import { join } from 'node:path'
import { loadPackageDefinition, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { repositoryRoot } from '../tools.ts'
import type { Json } from './operation.ts'

export type Method = MethodDefinition<Json, Json>

const definition = loadSync('rpc.proto', {
  includeDirs: [join(repositoryRoot, 'packages/kv/proto')],
  keepCase: true,
  longs: Number,
  enums: String,
})
loadPackageDefinition(definition)

/** 'KV/Put' and so on. */
export function methodOf(name: string): Method {
  const [service = '', method = ''] = name.split('/')
  const found = (definition[`etcdserverpb.${service}`] as ServiceDefinition | undefined)?.[method]
  if (found === undefined) throw new Error(`The proto files have no method ${name}`)
  return found as Method
}
