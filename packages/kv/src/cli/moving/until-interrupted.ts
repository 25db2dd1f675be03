// Runs something that ends by itself only when it fails: SIGINT and SIGTERM end it in good order.

/** Resolves when the process was told to stop and `run` has settled; rejects with why it ended before. */
export async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    await run(stopped.signal)
  } catch (reason) {
    if (!stopped.signal.aborted) throw reason
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}
