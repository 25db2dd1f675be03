// What is asked of users, members and maintenance without a wire: the services' own methods, called in place.
import { authMethods } from '../api/services/auth.ts'
import { clusterMethods } from '../api/services/cluster.ts'
import { maintenanceMethods } from '../api/services/maintenance.ts'
import type { UnaryMethod } from '../api/services/method.ts'
import { quotaMethods } from '../api/services/quota.ts'
import type { Ask } from '../client/admin-client.ts'
import { methodPath } from '../client/wire.ts'
import { orAbort } from '../client/or-abort.ts'
import { KvError } from '../errors.ts'
import type { MemberApi } from './types.ts'

const methods: ReadonlyMap<string, UnaryMethod> = new Map(
  [...authMethods, ...clusterMethods, ...maintenanceMethods, ...quotaMethods].flatMap((method) =>
    method.kind === 'unary' ? [[method.path, method] as const] : [],
  ),
)

export function askMember(member: MemberApi): Ask {
  return (name, body, { signal }) => {
    const method = methods.get(methodPath(name))
    if (method === undefined) return Promise.reject(new KvError('UNIMPLEMENTED'))
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      method.call(member, body, (error, reply) => {
        if (error !== undefined || reply === undefined) reject(error ?? new KvError('INTERNAL'))
        else resolve(reply)
      })
    })
    return orAbort(answer, signal)
  }
}
