// Waiting for a reader that is slower than what is written to it.
import type { Writable } from 'node:stream'

/** Resolves when `output` takes more, has closed, or `signal` says that nobody needs it any more. Never rejects. */
export const drained = (output: Writable, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      output.removeListener('drain', done)
      output.removeListener('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    output.on('drain', done)
    output.on('close', done)
    signal.addEventListener('abort', done)
    if (signal.aborted || output.destroyed) done()
  })
