// What can be asked over the native wire: every unary method of etcd's services by its short name ('KV/Put'), and the lease keep-alive,
// which on this wire is a call like the others.
import { KvError } from '../../errors.ts'
import type { MemberApi } from '../../member/types.ts'
import { decodeLeaseKeepAliveRequest, encodeLeaseKeepAliveResponse } from '../../proto/index.ts'
import { methods } from '../services/index.ts'
import type { GiveUp, Reply } from '../services/index.ts'
import { encodeReply } from '../services/method.ts'

/** May throw KvError instead of replying with it. */
export type NativeMethod = (member: MemberApi, body: Uint8Array, reply: Reply) => GiveUp | void

export const nativeMethods: ReadonlyMap<string, NativeMethod> = new Map<string, NativeMethod>([
  ...methods.flatMap((method): [string, NativeMethod][] =>
    method.kind === 'unary' ? [[shortName(method.path), method.call]] : [],
  ),
  [
    'Lease/LeaseKeepAlive',
    (member, body, reply) => {
      if (member.cluster.isLearner()) throw new KvError('LEARNER_NOT_SUPPORTED')
      const { id } = decodeLeaseKeepAliveRequest(body)
      member.leaseKeepAlive(id, encodeReply(reply, encodeLeaseKeepAliveResponse))
    },
  ],
])

function shortName(path: string): string {
  return path.replace(/^\/\w+\./, '')
}
