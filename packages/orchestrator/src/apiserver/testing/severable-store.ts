// One store for several clusters of a test, each with a way to it that can be cut: what is cut off hears and writes nothing any more,
// like a process that was killed.
import type { Store } from '../store.ts'

export interface SeverableStore extends Store {
  /** From now on every request is rejected, and watches are silent. */
  sever(): void
}

/** Closing it leaves `store` open. */
export function severable(store: Store): SeverableStore {
  let isSevered = false
  const closers = new Set<() => void>()
  const alive = async <T>(request: () => Promise<T>): Promise<T> => {
    if (isSevered) throw new Error('The store is cut off')
    const answer = await request()
    // It was done, and whoever asked for it will never know.
    if (isSevered) throw new Error('The store was cut off')
    return answer
  }
  const closeWatches = (): void => {
    for (const close of closers) close()
    closers.clear()
  }
  return {
    get: (...args) => alive(() => store.get(...args)),
    list: (...args) => alive(() => store.list(...args)),
    count: (...args) => alive(() => store.count(...args)),
    create: (...args) => alive(() => store.create(...args)),
    update: (...args) => alive(() => store.update(...args)),
    delete: (...args) => alive(() => store.delete(...args)),
    currentRevision: () => alive(() => store.currentRevision()),
    compact: (...args) => alive(() => store.compact(...args)),
    watch: (...args) => {
      if (isSevered) return () => undefined
      const close = store.watch(...args)
      closers.add(close)
      return () => {
        closers.delete(close)
        close()
      }
    },
    sever: () => {
      isSevered = true
      closeWatches()
    },
    close: () => {
      closeWatches()
      return Promise.resolve()
    },
  }
}
