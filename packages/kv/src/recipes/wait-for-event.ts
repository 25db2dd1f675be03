// One event as a promise: what every recipe waits with.
import { KvError } from '../errors.ts'
import type { Kv, KvEvent, WatchOptions } from '../kv.ts'

/**
 * Resolves to the first event that matches, or to undefined when the history from `startRevision` on is compacted: look again, then.
 * Rejects with ABORTED when the signal comes first, else with what ended the watch.
 */
export function waitForEvent(
  kv: Pick<Kv, 'watch'>,
  options: WatchOptions,
  matches: (event: KvEvent) => boolean,
  signal: AbortSignal | undefined,
): Promise<KvEvent | undefined> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new KvError('ABORTED', { cause: signal.reason }))
      return
    }
    const abort = (): void => {
      reject(new KvError('ABORTED', { cause: signal?.reason }))
      watch.close()
    }
    const watch = kv.watch(options, {
      batch: ({ events }) => {
        const event = events.find(matches)
        if (event === undefined) return
        resolve(event)
        watch.close()
      },
      ended: (error) => {
        signal?.removeEventListener('abort', abort)
        const isCompacted = error instanceof KvError && error.code === 'COMPACTED'
        if (isCompacted) resolve(undefined)
        else reject(error ?? new KvError('ABORTED'))
      },
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
