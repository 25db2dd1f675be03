// A watch that a signal closes.
import type { Watch, WatchHandlers } from '../kv.ts'

/** The handlers keep their `this`: they may be methods of a class. */
export function watchUntil(
  signal: AbortSignal | undefined,
  handlers: WatchHandlers,
  open: (handlers: WatchHandlers) => Watch,
): Watch {
  if (signal === undefined) return open(handlers)
  const close = (): void => watch.close()
  const watch = open({
    created: (revision) => handlers.created?.(revision),
    batch: (batch) => handlers.batch(batch),
    ended: (error) => {
      signal.removeEventListener('abort', close)
      handlers.ended?.(error)
    },
  })
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
  return watch
}
