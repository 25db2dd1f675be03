// Repeats calls where that is safe. A read is repeated whatever happened; a write only when no server can have applied it, unless the
// program said that plain puts and deletes may be applied twice.
import { setMaxListeners } from 'node:events'
import { KvError } from '../errors.ts'
import type { KvErrorCode } from '../errors.ts'
import { backOffMs, delay } from './back-off.ts'
import { AttemptError } from './wire.ts'
import type { Wire, WireMethod } from './wire.ts'

/** `safe`: reads, and writes of which the program says so. `repeatable`: a write that leaves the same state when applied twice in a row. */
export type CallKind = 'safe' | 'repeatable' | 'write'

export interface CallerOptions {
  /** How long a call may take, all tries together. */
  readonly requestTimeoutMs: number
  readonly retryWrites: boolean
}

/** Failures that another try may not meet. */
export const transientCodes: ReadonlySet<KvErrorCode> = new Set<KvErrorCode>([
  'NO_LEADER',
  'NOT_LEADER',
  'LEADER_CHANGED',
  'STOPPED',
  'TIMEOUT',
  'TIMEOUT_LEADER_FAILED',
  'TIMEOUT_CONNECTION_LOST',
  'TOO_MANY_REQUESTS',
  'CONNECTION_LOST',
])
/** Failures by which a server says that it did nothing. */
const refusals: ReadonlySet<KvErrorCode> = new Set<KvErrorCode>([
  'NO_LEADER',
  'NOT_LEADER',
  'TOO_MANY_REQUESTS',
])

export class Caller {
  readonly #wire: Wire
  readonly #options: CallerOptions
  readonly #closed = new AbortController()

  constructor(wire: Wire, options: CallerOptions) {
    this.#wire = wire
    this.#options = options
    // Every call that waits for its next try listens.
    setMaxListeners(0, this.#closed.signal)
  }

  /** Rejects with KvError. `onRepeat`: a try is repeated that may have been applied. */
  async call(
    kind: CallKind,
    method: WireMethod,
    body: Uint8Array,
    options: { signal?: AbortSignal; endpoint?: string; onRepeat?: () => void } = {},
  ): Promise<Uint8Array> {
    const { signal, endpoint } = options
    const deadline = performance.now() + this.#options.requestTimeoutMs
    for (let attempt = 0; ; attempt++) {
      if (signal?.aborted === true || this.#closed.signal.aborted) throw new KvError('ABORTED')
      const timeoutMs = Math.max(1, deadline - performance.now())
      try {
        return await this.#wire.attempt(method, body, { signal, endpoint, timeoutMs })
      } catch (reason) {
        if (!(reason instanceof AttemptError)) throw KvError.from(reason)
        const waitMs = backOffMs(attempt)
        if (!this.#isSafe(kind, reason) || performance.now() + waitMs >= deadline) {
          throw reason.error
        }
        if (reason.mayBeApplied && !refusals.has(reason.error.code)) options.onRepeat?.()
        await delay(waitMs, this.#signalOf(signal))
      }
    }
  }

  close(): void {
    this.#closed.abort()
  }

  #isSafe(kind: CallKind, { error, mayBeApplied }: AttemptError): boolean {
    if (!transientCodes.has(error.code)) return false
    if (kind === 'safe' || !mayBeApplied || refusals.has(error.code)) return true
    return kind === 'repeatable' && this.#options.retryWrites
  }

  #signalOf(signal: AbortSignal | undefined): AbortSignal {
    const closed = this.#closed.signal
    return signal === undefined ? closed : AbortSignal.any([signal, closed])
  }
}
