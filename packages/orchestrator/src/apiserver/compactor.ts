// Keeps the store's history bounded: every period the revision of one period ago is compacted, as upstream does.
import type { Store } from './store.ts'

const periodMs = 5 * 60 * 1000

/** Returns the function that stops it. */
export const compactPeriodically = (
  store: Store,
  onError: (error: Error) => void,
): (() => void) => {
  let previous: number | undefined
  const compact = async (): Promise<void> => {
    const revision = await store.currentRevision()
    if (previous !== undefined && previous < revision) await store.compact(previous)
    previous = revision
  }
  const timer = setInterval(() => {
    compact().catch((reason: unknown) => {
      onError(reason instanceof Error ? reason : new Error(String(reason)))
    })
  }, periodMs)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}
