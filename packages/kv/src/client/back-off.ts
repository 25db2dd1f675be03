// Waiting between tries: longer each time, never the same for two clients, ended by an AbortSignal.
import { KvError } from '../errors.ts'

const firstDelayMs = 20
const delayMaxMs = 1000

/** How long to wait before try `attempt` (from 0), between half and the whole of an exponential delay. */
export function backOffMs(attempt: number): number {
  const delay = Math.min(delayMaxMs, firstDelayMs * 2 ** Math.min(attempt, 10))
  return delay * (0.5 + Math.random() / 2)
}

/** Rejects with ABORTED when the signal comes first. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new KvError('ABORTED'))
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(new KvError('ABORTED'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
