// v3lockpb.Lock: a lock for clients without a library. The place in the queue is a key held by a lease.
import { KvError } from '../../errors.ts'
import { EmbeddedKv } from '../../member/embedded-kv.ts'
import type { MemberApi } from '../../member/types.ts'
import {
  decodeLockRequest,
  decodeUnlockRequest,
  encodeHeaderOnlyResponse,
  encodeLockResponse,
} from '../../proto/index.ts'
import { enterQueue, queuePrefix, waitForOlder } from '../../recipes/key-queue.ts'
import { replyLater } from './method.ts'
import type { Method } from './method.ts'

/** What a call without a lease gets. Nobody renews it: the lock is given up when it runs out. */
export const sessionTtlSeconds = 60

export const lockMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/v3lockpb.Lock/Lock',
    routes: ['/lock/lock'],
    request: 'LockRequest',
    response: 'LockResponse',
    call: (member, body, reply) => {
      const request = decodeLockRequest(body)
      return replyLater(reply, (signal) => lock(member, request, signal))
    },
  },
  {
    kind: 'unary',
    path: '/v3lockpb.Lock/Unlock',
    routes: ['/lock/unlock'],
    request: 'UnlockRequest',
    response: 'UnlockResponse',
    call: (member, body, reply) => {
      const { key } = decodeUnlockRequest(body)
      return replyLater(reply, async () => {
        const { revision } = await new EmbeddedKv(member).delete(key)
        return encodeHeaderOnlyResponse({ header: { ...member.header(), revision } })
      })
    },
  },
]

/** The lease a call works with: its own, or a new one. */
export async function sessionLease(kv: EmbeddedKv, lease: bigint): Promise<bigint> {
  return lease === 0n ? (await kv.grantLease(sessionTtlSeconds)).id : lease
}

async function lock(
  member: MemberApi,
  request: { readonly name: Uint8Array; readonly lease: bigint },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const kv = new EmbeddedKv(member)
  const lease = await sessionLease(kv, request.lease)
  const { name } = request
  const place = await enterQueue(kv, { name, contender: lease.toString(16), lease, value: '' })
  const { key, createRevision } = place
  let { revision } = place
  if (!place.isHead) {
    try {
      await waitForOlder(kv, { prefix: queuePrefix(name), revision: createRevision, signal })
    } catch (reason) {
      await kv.delete(key)
      throw reason
    }
    // The lease may have run out meanwhile, and the place in the queue with it.
    const own = await kv.range({ key })
    if (own.pairs.length === 0) throw new KvError('LOCK_LOST')
    revision = own.revision
  }
  return encodeLockResponse({ header: { ...member.header(), revision }, key })
}
