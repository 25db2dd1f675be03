// Barriers. A barrier stands as long as its key does; who waits goes on when it is gone.
import type { Session } from '../client/session.ts'
import { KvError } from '../errors.ts'
import type { Bytes, CallOptions, Kv } from '../kv.ts'
import { queuePrefix } from './key-queue.ts'
import { Place } from './place.ts'
import { waitForEvent } from './wait-for-event.ts'

/** Sets the barrier up; false if it stood already. With a session it falls when the session ends. */
export async function raiseBarrier(
  kv: Kv,
  name: Bytes,
  options: CallOptions & { readonly session?: Session } = {},
): Promise<boolean> {
  const { session, ...call } = options
  const lease = session === undefined ? {} : { lease: session.id }
  const { succeeded } = await kv.txn({
    ...call,
    if: [{ key: name, target: 'create', is: '=', than: 0 }],
    then: [{ op: 'put', key: name, value: '', ...lease }],
  })
  return succeeded
}

/** Lets all who wait go on. */
export async function lowerBarrier(kv: Kv, name: Bytes, options: CallOptions = {}): Promise<void> {
  await kv.delete(name, { ...options, repeatable: true })
}

/** Resolves when the barrier does not stand. */
export async function waitAtBarrier(kv: Kv, name: Bytes, options: CallOptions = {}): Promise<void> {
  for (;;) {
    const { pairs, revision } = await kv.range({ ...options, key: name })
    if (pairs.length === 0) return
    const gone = { key: name, startRevision: revision + 1 }
    await waitForEvent(kv, gone, ({ type }) => type === 'delete', options.signal)
  }
}

export interface DoubleBarrier extends AsyncDisposable {
  /** Resolves when all have left. Idempotent. */
  leave(options?: CallOptions): Promise<void>
}

/**
 * Resolves when `count` sessions have entered; they begin together, and end together with `leave()`. A session that ends counts as gone. The name
 * can be used again when all have left.
 */
export async function enterTogether(
  session: Session,
  name: Bytes,
  count: number,
  options: CallOptions = {},
): Promise<DoubleBarrier> {
  const { kv } = session
  const prefix = queuePrefix(Buffer.concat([queuePrefix(name), Buffer.from('waiters')]))
  const ready = Buffer.concat([queuePrefix(name), Buffer.from('ready')])
  const place = await Place.enter(session, prefix.subarray(0, -1), options)
  await place.waitFor(async (signal) => {
    for (;;) {
      const { count: entered, revision } = await kv.range({ prefix, countOnly: true, signal })
      if (entered > count) throw tooMany(name, count)
      if (entered === count)
        await kv.put(ready, '', { lease: session.id, repeatable: true, signal })
      const isReady = await kv.range({ key: ready, signal })
      if (isReady.pairs.length > 0) return
      const change = { prefix: queuePrefix(name), startRevision: revision + 1 }
      const put = await waitForEvent(kv, change, ({ type }) => type === 'put', signal)
      // Not read again: whoever put it may be gone by then, and the key with it.
      if (put !== undefined && ready.equals(put.kv.key)) return
    }
  }, options.signal)
  const leave = async (call: CallOptions = {}): Promise<void> => {
    await place.leave()
    for (;;) {
      const left = await kv.range({ ...call, prefix, countOnly: true })
      if (left.count === 0) {
        await kv.delete(ready, { ...call, repeatable: true })
        return
      }
      const gone = { prefix, startRevision: left.revision + 1 }
      await waitForEvent(kv, gone, ({ type }) => type === 'delete', call.signal)
    }
  }
  return { leave, [Symbol.asyncDispose]: () => leave() }
}

function tooMany(name: Bytes, count: number): KvError {
  const text = typeof name === 'string' ? name : Buffer.from(name).toString()
  const message = `more than ${count} sessions are at the double barrier ${text}`
  return new KvError('TOO_MANY_REQUESTS', { message })
}
