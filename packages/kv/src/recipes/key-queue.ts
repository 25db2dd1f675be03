// The queue below locks and elections: each contender puts a key of its own below one prefix, held by its lease, and the oldest key is
// at the head. The prefix is the name and a slash, as etcd's clients make it, so that all kinds of clients queue with each other.
import { bytesOf } from '../client/convert.ts'
import type { Bytes, Kv, KvPair } from '../kv.ts'
import { waitForEvent } from './wait-for-event.ts'

export interface QueuePlace {
  readonly key: Uint8Array
  /** What created the key: the place in the queue, and a token that grows with every holder. */
  readonly createRevision: number
  /** The revision of the answer that told it. */
  readonly revision: number
  /** The pair that stood there before, if this lease had a place. */
  readonly existing: KvPair | undefined
  readonly isHead: boolean
}

/** Everything below `name` and its slash. */
export function queuePrefix(name: Bytes): Uint8Array {
  return Buffer.concat([bytesOf(name), Buffer.from('/')])
}

export function placeKey(name: Bytes, contender: string): Uint8Array {
  return Buffer.concat([queuePrefix(name), Buffer.from(contender)])
}

/**
 * Takes a place, or finds it if it was taken before: asking twice is harmless. `contender` names the place; etcd's clients use the lease in
 * hex. Rejects with LEASE_NOT_FOUND.
 */
export async function enterQueue(
  kv: Kv,
  options: {
    readonly name: Bytes
    readonly contender: string
    readonly lease: bigint
    readonly value: Bytes
    readonly signal?: AbortSignal | undefined
  },
): Promise<QueuePlace> {
  const { name, contender, lease, value, signal } = options
  const key = placeKey(name, contender)
  const head = {
    op: 'range',
    prefix: queuePrefix(name),
    sort: { by: 'create', order: 'ascend' },
    limit: 1,
  } as const
  const result = await kv.txn({
    if: [{ key, target: 'create', is: '=', than: 0 }],
    then: [{ op: 'put', key, value, lease }, head],
    else: [{ op: 'range', key }, head],
    repeatable: true,
    ...(signal === undefined ? {} : { signal }),
  })
  const [first, second] = result.results
  const existing = first?.op === 'range' ? first.pairs[0] : undefined
  const createRevision = existing?.createRevision ?? result.revision
  const headRevision = second?.op === 'range' ? second.pairs[0]?.createRevision : undefined
  const isHead = headRevision === undefined || headRevision === createRevision
  return { key, createRevision, revision: result.revision, existing, isHead }
}

/** Resolves when no key below `prefix` is left that was created before `revision`. */
export async function waitForOlder(
  kv: Kv,
  options: {
    readonly prefix: Uint8Array
    readonly revision: number
    readonly signal: AbortSignal | undefined
  },
): Promise<void> {
  const { prefix, revision, signal } = options
  const maxCreateRevision = revision - 1
  if (maxCreateRevision <= 0) return
  for (;;) {
    // Only the one just ahead is watched: when a holder goes, one contender wakes and no herd.
    const ahead = await kv.range({
      prefix,
      sort: { by: 'create', order: 'descend' },
      limit: 1,
      maxCreateRevision,
      ...(signal === undefined ? {} : { signal }),
    })
    const [pair] = ahead.pairs
    if (pair === undefined) return
    const gone = { key: pair.key, startRevision: ahead.revision + 1 }
    await waitForEvent(kv, gone, ({ type }) => type === 'delete', signal)
  }
}
