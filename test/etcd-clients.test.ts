// Other programs' clients against Balsa: the usual gRPC library with our proto files, and h2load.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import type { BalsaMember } from './balsa-member.ts'
import { missing, tools } from './tools.ts'

type Unary = (
  request: object,
  done: (error: Error | null, reply: Record<string, unknown>) => void,
) => void

let balsa: BalsaMember
beforeAll(async () => {
  balsa = await openBalsaMember()
})
afterAll(() => balsa[Symbol.asyncDispose]())

test('the usual gRPC library with our proto files can use every service', async () => {
  const folder = fileURLToPath(new URL('../packages/kv/proto/', import.meta.url))
  const definition = loadSync('rpc.proto', { includeDirs: [folder], keepCase: true, longs: String })
  const { etcdserverpb } = grpc.loadPackageDefinition(definition) as unknown as {
    etcdserverpb: Record<string, grpc.ServiceClientConstructor>
  }
  const host = balsa.url.slice('http://'.length)
  const Kv = etcdserverpb['KV']
  if (Kv === undefined) throw new Error('the proto files have no KV service')
  const kv = new Kv(host, grpc.credentials.createInsecure())
  const call = (method: string, request: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const unary = (kv as unknown as Record<string, Unary>)[method]
      unary?.call(kv, request, (error, reply) => (error === null ? resolve(reply) : reject(error)))
    })
  const value = Buffer.alloc(1_000_000, 'v')
  await call('Put', { key: Buffer.from('big'), value })
  const range = await call('Range', { key: Buffer.from('big') })
  expect((range['kvs'] as { value: Buffer }[])[0]?.value.equals(value)).toBe(true)
  const tooLarge = call('Put', { key: Buffer.from('big'), value: Buffer.alloc(1_600_000) })
  await expect(tooLarge).rejects.toMatchObject({ details: 'etcdserver: request is too large' })
  await expect(call('Put', { key: Buffer.from('k'), ignore_value: true })).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: 'etcdserver: key not found',
  })
  kv.close()
})

describe.skipIf(missing('h2load'))('h2load', () => {
  test('gets every one of its puts answered, and they are all there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'balsa-h2load-'))
    const body = join(folder, 'put.bin')
    const message = Buffer.from([0x0a, 4, ...Buffer.from('load'), 0x12, 2, ...Buffer.from('ok')])
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    writeFileSync(body, Buffer.concat([prefix, message]))
    const requests = 20_000
    const shape = ['-n', String(requests), '-c', '20', '-m', '50', '-t', '1']
    const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
    const url = `${balsa.url}/etcdserverpb.KV/Put`
    const run = await promisify(execFile)(tools.h2load ?? 'h2load', [
      ...shape,
      ...headers,
      '-d',
      body,
      url,
    ])
    rmSync(folder, { recursive: true })
    expect(run.stdout).toContain(`${requests} succeeded, 0 failed, 0 errored, 0 timeout`)
    const client = new Etcd3({ hosts: balsa.url })
    const { kvs } = await client.get('load').exec()
    expect(kvs.map((pair) => [pair.value.toString(), pair.version])).toEqual([['ok', '20000']])
    client.close()
  })
})
