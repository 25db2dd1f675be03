// A lock that many readers or one writer hold. All queue by age: readers wait for older writers, a writer for everyone older, so that
// neither starves. Mind what lock.ts says about programs that sleep.
import type { Session } from '../client/session.ts'
import type { Bytes, CallOptions, Kv } from '../kv.ts'
import { queuePrefix, waitForOlder } from './key-queue.ts'
import { heldLock } from './lock.ts'
import type { HeldLock } from './lock.ts'
import { Place } from './place.ts'

/** Held together with other readers. */
export function readLock(
  session: Session,
  name: Bytes,
  options: CallOptions = {},
): Promise<HeldLock> {
  return enter(session, part(name, 'read'), part(name, 'write'), options)
}

/** Held alone. */
export function writeLock(
  session: Session,
  name: Bytes,
  options: CallOptions = {},
): Promise<HeldLock> {
  return enter(session, part(name, 'write'), name, options)
}

function part(name: Bytes, kind: 'read' | 'write'): Uint8Array {
  return Buffer.concat([queuePrefix(name), Buffer.from(kind)])
}

/** Waits for all older ones below `ahead`. */
async function enter(
  session: Session,
  queue: Uint8Array,
  ahead: Bytes,
  options: CallOptions,
): Promise<HeldLock> {
  const place = await Place.enter(session, queue, options)
  const { kv }: { readonly kv: Kv } = session
  const prefix = queuePrefix(ahead)
  const older = { prefix, revision: place.revision }
  await place.waitFor((signal) => waitForOlder(kv, { ...older, signal }), options.signal)
  return heldLock(place)
}
