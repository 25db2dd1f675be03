// Who stands at the head of a queue of keys, and what it says, as it changes.
import { follow } from '../client/follow.ts'
import { KvError } from '../errors.ts'
import type { Bytes, Kv, KvPair } from '../kv.ts'
import { queuePrefix } from './key-queue.ts'
import { waitForEvent } from './wait-for-event.ts'

export interface Head {
  readonly pair: KvPair
  /** The store's revision when the head was this pair. */
  readonly revision: number
}

/** The present head at once, if there is one, then each change, in order; a change that is passed by at once may be left out. */
export async function* observeHead(
  kv: Kv,
  name: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Head, void, undefined> {
  for (;;) {
    const head = await findHead(kv, name, signal)
    if (head === undefined) continue
    yield head
    if (!(yield* observeKey(kv, head, signal))) return
  }
}

/** Undefined: look again. */
async function findHead(kv: Kv, name: Bytes, signal: AbortSignal): Promise<Head | undefined> {
  const prefix = queuePrefix(name)
  const sort = { by: 'create', order: 'ascend' } as const
  const { pairs, revision } = await kv.range({ prefix, sort, limit: 1, signal })
  const [pair] = pairs
  if (pair !== undefined) return { pair, revision }
  const next = { prefix, startRevision: revision + 1 }
  const event = await waitForEvent(kv, next, ({ type }) => type === 'put', signal)
  return event === undefined ? undefined : { pair: event.kv, revision: event.kv.modRevision }
}

/** Until the key is gone or its history is; false when the watch was closed. */
async function* observeKey(
  kv: Kv,
  head: Head,
  signal: AbortSignal,
): AsyncGenerator<Head, boolean, undefined> {
  const options = { key: head.pair.key, startRevision: head.revision + 1 }
  try {
    for await (const { events } of follow(kv, options, signal)) {
      for (const { type, kv: pair } of events) {
        if (type === 'delete') return true
        yield { pair, revision: pair.modRevision }
      }
    }
    return false
  } catch (reason) {
    if (reason instanceof KvError && reason.code === 'COMPACTED') return true
    throw reason
  }
}
