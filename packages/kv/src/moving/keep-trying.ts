// Calls that must come through in the end: what a server out of reach refuses is asked again until it is back.
import { backOffMs, delay } from '../client/back-off.ts'
import { KvError, type KvErrorCode } from '../errors.ts'

const passing: ReadonlySet<KvErrorCode> = new Set<KvErrorCode>([
  'CONNECTION_LOST',
  'NO_LEADER',
  'LEADER_CHANGED',
  'STOPPED',
  'TIMEOUT',
  'TIMEOUT_LEADER_FAILED',
  'TIMEOUT_CONNECTION_LOST',
  'TOO_MANY_REQUESTS',
  'UNHEALTHY',
])

export interface KeepTryingOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of each failure that is not the last word. */
  readonly onTrouble?: ((error: KvError) => void) | undefined
}

/** For calls that may be applied twice. Rejects with what does not pass by waiting, and with ABORTED. */
export async function keepTrying<T>(
  call: () => Promise<T>,
  { signal, onTrouble }: KeepTryingOptions,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (reason) {
      if (!(reason instanceof KvError) || !passing.has(reason.code)) throw reason
      onTrouble?.(reason)
      await delay(backOffMs(attempt), signal)
    }
  }
}
