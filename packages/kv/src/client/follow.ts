// A watch as `for await`. A program that takes its time costs a place in history, not memory: past a limit the watch is closed and
// opened again where it was when the program has caught up.
import { KvError } from '../errors.ts'
import type { Kv, WatchBatch, WatchOptions } from '../kv.ts'

/** Events that wait for the program before the watch is closed for a while. */
export const followedEventsMax = 10_000

interface Following {
  readonly batches: WatchBatch[]
  eventCount: number
  /** The first revision not received; undefined until the watch stands. */
  nextRevision: number | undefined
  isPaused: boolean
  end: { readonly error: Error | undefined } | undefined
  wake: () => void
}

/** Throws KvError: COMPACTED when history is gone, ABORTED by the signal, else what ended the watch. Leaving the loop closes it. */
export async function* follow(
  kv: Pick<Kv, 'watch'>,
  options: WatchOptions,
  signal?: AbortSignal,
): AsyncGenerator<WatchBatch, void, undefined> {
  const following: Following = {
    batches: [],
    eventCount: 0,
    nextRevision: options.startRevision,
    isPaused: false,
    end: undefined,
    wake: () => undefined,
  }
  const abort = (): void => following.wake()
  signal?.addEventListener('abort', abort, { once: true })
  let close = open(kv, options, following)
  try {
    for (;;) {
      if (signal?.aborted === true) throw new KvError('ABORTED', { cause: signal.reason })
      const batch = following.batches.shift()
      if (batch !== undefined) {
        following.eventCount -= batch.events.length
        yield batch
      } else if (following.isPaused) {
        close = open(kv, options, following)
      } else if (following.end !== undefined) {
        if (following.end.error !== undefined) throw following.end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          following.wake = resolve
        })
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    close()
  }
}

function open(kv: Pick<Kv, 'watch'>, options: WatchOptions, following: Following): () => void {
  following.isPaused = false
  const from = following.nextRevision
  const start = from === undefined ? {} : { startRevision: from }
  const watch = kv.watch(
    { ...options, ...start },
    {
      created: (revision) => {
        following.nextRevision ??= revision + 1
      },
      batch: (batch) => {
        following.batches.push(batch)
        following.eventCount += batch.events.length
        following.nextRevision = batch.revision + 1
        if (following.eventCount >= followedEventsMax) {
          following.isPaused = true
          watch.close()
        }
        following.wake()
      },
      ended: (error) => {
        if (!following.isPaused) following.end = { error }
        following.wake()
      },
    },
  )
  return () => watch.close()
}
