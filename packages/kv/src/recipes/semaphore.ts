// A semaphore: the oldest `permits` keys of the queue hold a permit each. All users of one name must give the same number.
import type { Session } from '../client/session.ts'
import type { Bytes, CallOptions, Kv } from '../kv.ts'
import { queuePrefix } from './key-queue.ts'
import { heldLock } from './lock.ts'
import type { HeldLock } from './lock.ts'
import { Place } from './place.ts'
import { waitForEvent } from './wait-for-event.ts'

/** Waits for one of `permits` permits. */
export async function acquirePermit(
  session: Session,
  name: Bytes,
  permits: number,
  options: CallOptions = {},
): Promise<HeldLock> {
  if (!(permits >= 1)) throw new RangeError(`permits is ${permits}; it must be at least 1`)
  const place = await Place.enter(session, name, options)
  const { revision } = place
  await place.waitFor(
    (signal) => waitForRank(session.kv, { name, permits, revision, signal }),
    options.signal,
  )
  return heldLock(place)
}

async function waitForRank(
  kv: Kv,
  options: {
    readonly name: Bytes
    readonly permits: number
    readonly revision: number
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { name, permits, revision, signal } = options
  const prefix = queuePrefix(name)
  const older = {
    prefix,
    sort: { by: 'create', order: 'ascend' },
    maxCreateRevision: revision - 1,
    limit: permits,
    keysOnly: true,
  } as const
  for (;;) {
    const ahead = await kv.range({ ...older, signal })
    if (ahead.pairs.length < permits) return
    const gone = { prefix, startRevision: ahead.revision + 1 }
    await waitForEvent(kv, gone, ({ type }) => type === 'delete', signal)
  }
}
