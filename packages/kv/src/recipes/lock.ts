// Locks. A lock is held by a key that its session's lease holds: when the program ends, the next one in the queue has the lock a TTL
// later. A program that slept too long may believe that it holds a lock which is another's by now, so a lock protects nothing by itself:
// put `isMine` into the txn that it protects, or give `token` to what it protects, which refuses smaller ones than it has seen.
import type { Session } from '../client/session.ts'
import { KvError } from '../errors.ts'
import type { Bytes, CallOptions, Condition } from '../kv.ts'
import { queuePrefix, waitForOlder } from './key-queue.ts'
import { Place } from './place.ts'

export interface HeldLock extends AsyncDisposable {
  /** Greater than that of everyone who held it before. */
  readonly token: number
  /** True as long as the lock is held: for `if` of a txn. */
  readonly isMine: Condition
  /** Aborted when the lock is released or the session is lost. */
  readonly lost: AbortSignal
  /** Idempotent. */
  release(): Promise<void>
}

/** Waits for the lock `name`. The signal ends the waiting; rejects with LOCK_LOST if the session ends first. */
export async function lock(
  session: Session,
  name: Bytes,
  options: CallOptions = {},
): Promise<HeldLock> {
  const place = await Place.enter(session, name, options)
  if (!place.isHead) {
    const { kv } = session
    const { revision } = place
    const prefix = queuePrefix(name)
    await place.waitFor((signal) => waitForOlder(kv, { prefix, revision, signal }), options.signal)
  }
  return heldLock(place)
}

/** Undefined if another holds the lock or waits for it. */
export async function tryLock(
  session: Session,
  name: Bytes,
  options: CallOptions = {},
): Promise<HeldLock | undefined> {
  const place = await Place.enter(session, name, options)
  if (place.isHead) return heldLock(place)
  await place.leave()
  return undefined
}

/** Runs `work` while the lock is held; its signal says that the lock is lost. Rejects with LOCK_LOST if it was by the end. */
export async function withLock<T>(
  session: Session,
  name: Bytes,
  work: (held: HeldLock) => Promise<T>,
  options: CallOptions = {},
): Promise<T> {
  await using held = await lock(session, name, options)
  const result = await work(held)
  if (held.lost.aborted) throw new KvError('LOCK_LOST', { cause: held.lost.reason })
  return result
}

export function heldLock(place: Place): HeldLock {
  const release = (): Promise<void> => place.leave()
  const { isMine, lost, revision } = place
  return { token: revision, isMine, lost, release, [Symbol.asyncDispose]: release }
}
