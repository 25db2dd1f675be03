// Pings, both ways, with the rules of grpc-go, which clients rely on: a client that pings more often than is allowed is sent away with
// "too_many_pings", and one that has been silent for long is pinged and must answer.
import type { Limits } from '../../../limits.ts'

/** Pings too early that are forgiven. */
const strikesMax = 2
/** While no call is under way there is nothing to keep alive. */
const idlePingMs = 2 * 60 * 60_000
/** Of grpc-go, where no shortest time is set. */
const minTimeDefaultMs = 5 * 60_000

export class KeepAlive {
  readonly #limits: Readonly<Limits>
  readonly #nowMs: () => number
  #strikes = 0
  #isForgiven = true
  #lastPingMs = -Infinity
  #lastHeardMs: number
  /** When our own ping went out that was not answered yet. */
  #askedMs: number | undefined

  constructor(limits: Readonly<Limits>, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#lastHeardMs = nowMs()
  }

  /** Headers or data went out: pings that measure the connection follow upon them. */
  answered(): void {
    this.#isForgiven = true
  }

  heard(): void {
    this.#lastHeardMs = this.#nowMs()
    this.#askedMs = undefined
  }

  /** The client pings. True: it was once too often. */
  isPingTooEarly(hasStreams: boolean): boolean {
    const now = this.#nowMs()
    const sinceMs = now - this.#lastPingMs
    this.#lastPingMs = now
    if (this.#isForgiven) {
      this.#isForgiven = false
      this.#strikes = 0
      return false
    }
    const { keepAliveMinTimeMs } = this.#limits
    const minTimeMs = keepAliveMinTimeMs > 0 ? keepAliveMinTimeMs : minTimeDefaultMs
    if (sinceMs < (hasStreams ? minTimeMs : idlePingMs)) this.#strikes++
    return this.#strikes > strikesMax
  }

  /** What is to be done about a client that may be gone. */
  check(): 'ping' | 'drop' | undefined {
    const { keepAliveIntervalMs, keepAliveTimeoutMs } = this.#limits
    if (keepAliveIntervalMs <= 0 || keepAliveTimeoutMs <= 0) return undefined
    const now = this.#nowMs()
    if (this.#askedMs !== undefined) {
      return now - this.#askedMs >= keepAliveTimeoutMs ? 'drop' : undefined
    }
    if (now - this.#lastHeardMs < keepAliveIntervalMs) return undefined
    this.#askedMs = now
    return 'ping'
  }
}

/** How often clients are looked at. */
export function keepAliveCheckMs({ keepAliveIntervalMs, keepAliveTimeoutMs }: Limits): number {
  const shortest = Math.min(keepAliveIntervalMs || Infinity, keepAliveTimeoutMs || Infinity)
  return Math.max(100, Math.min(5000, shortest / 4))
}
