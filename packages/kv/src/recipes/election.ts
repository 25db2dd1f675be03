// Leader election: candidates queue, the one at the head leads, and the value of its key is what it tells the others. When a leader's
// program ends, the next candidate leads a TTL later. As with locks, `isMine` in a txn keeps a leader that slept from acting too late.
import { backOffMs, delay } from '../client/back-off.ts'
import { openSession } from '../client/session.ts'
import type { Session } from '../client/session.ts'
import { KvError } from '../errors.ts'
import type { Bytes, CallOptions, Condition, Kv } from '../kv.ts'
import { queuePrefix, waitForOlder } from './key-queue.ts'
import { observeHead } from './observe-head.ts'
import { Place } from './place.ts'

export interface Leadership extends AsyncDisposable {
  /** Greater than that of every leader before. */
  readonly token: number
  /** True as long as this one leads: for `if` of a txn. */
  readonly isMine: Condition
  /** Aborted when the leader resigns or its session is lost. */
  readonly lost: AbortSignal
  /** Changes what the leader tells. Rejects with ELECTION_NOT_LEADER when it leads no more. */
  proclaim(value: Bytes, options?: CallOptions): Promise<void>
  /** Idempotent. */
  resign(): Promise<void>
}

export interface Leader {
  readonly value: Uint8Array
  readonly key: Uint8Array
  readonly token: number
}

/** Stands for election and resolves when it is won. The signal gives the candidacy up; rejects with LOCK_LOST if the session ends first. */
export async function campaign(
  session: Session,
  name: Bytes,
  value: Bytes,
  options: CallOptions = {},
): Promise<Leadership> {
  const place = await Place.enter(session, name, { ...options, value })
  if (!place.isHead) {
    const { kv } = session
    const { revision } = place
    const prefix = queuePrefix(name)
    await place.waitFor((signal) => waitForOlder(kv, { prefix, revision, signal }), options.signal)
  }
  return leadership(place)
}

/**
 * Stands for election again and again, each time with a session of its own, and runs `lead` whenever it is won; its leadership ends when
 * `lead` does, and `lost` tells it to stop. Resolves when the signal comes and `lead` has ended; rejects with what `lead` throws.
 */
export async function stayCandidate(
  kv: Kv,
  options: {
    readonly name: Bytes
    readonly value: Bytes
    readonly ttlSeconds?: number
    readonly signal?: AbortSignal
  },
  lead: (leadership: Leadership) => Promise<void>,
): Promise<void> {
  const { name, value, signal, ...session } = options
  for (let failures = 0; !isAborted(signal);) {
    let won: Leadership | undefined
    try {
      await using own = await openSession(kv, session)
      won = await campaign(own, name, value, signal === undefined ? {} : { signal })
      failures = 0
      await leadUntil(won, signal, lead)
    } catch (reason) {
      if (won !== undefined || !(reason instanceof KvError)) throw reason
      // The cluster was away, or the session ran out in the queue.
      await delay(backOffMs(failures++))
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

/** The signal makes the leader resign. */
async function leadUntil(
  leadership: Leadership,
  signal: AbortSignal | undefined,
  lead: (leadership: Leadership) => Promise<void>,
): Promise<void> {
  const resign = (): void => void leadership.resign()
  signal?.addEventListener('abort', resign, { once: true })
  try {
    await lead(leadership)
  } finally {
    signal?.removeEventListener('abort', resign)
    await leadership.resign()
  }
}

/** Who leads now; undefined for nobody. */
export async function currentLeader(
  kv: Kv,
  name: Bytes,
  options: CallOptions = {},
): Promise<Leader | undefined> {
  const sort = { by: 'create', order: 'ascend' } as const
  const { pairs } = await kv.range({ ...options, prefix: queuePrefix(name), sort, limit: 1 })
  const [pair] = pairs
  if (pair === undefined) return undefined
  return { value: pair.value, key: pair.key, token: pair.createRevision }
}

/** The present leader, then every change of who leads and of what it proclaims; ends with the signal by throwing ABORTED. */
export async function* observeLeader(
  kv: Kv,
  name: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Leader, void, undefined> {
  for await (const { pair } of observeHead(kv, name, signal)) {
    yield { value: pair.value, key: pair.key, token: pair.createRevision }
  }
}

function leadership(place: Place): Leadership {
  const { session, key, isMine, lost, revision } = place
  const resign = (): Promise<void> => place.leave()
  return {
    token: revision,
    isMine,
    lost,
    proclaim: async (value, options = {}) => {
      const put = { op: 'put', key, value, lease: session.id } as const
      const txn = { ...options, if: [isMine], then: [put], repeatable: true }
      const { succeeded } = await session.kv.txn(txn)
      if (!succeeded) throw new KvError('ELECTION_NOT_LEADER')
    },
    resign,
    [Symbol.asyncDispose]: resign,
  }
}
