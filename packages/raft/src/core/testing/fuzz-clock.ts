// The clocks of one member in a driven cluster: as fast or as slow as the bound allows that leases are told of, and a monotonic clock that
// stands still while the machine is suspended.
import type { SeededRandom } from '../../simulation/random.ts'
import type { LeaseReadsConfig } from '../types.ts'

export class FuzzClock {
  readonly #now: () => number
  readonly #rate: number
  readonly #startMs: number
  /** Of the true time, in which the monotonic clock stood still. */
  #suspendedMs = 0
  #suspendedSince: number | undefined

  constructor(now: () => number, random: SeededRandom, driftRateMax: number) {
    this.#now = now
    this.#rate = 1 - (random.chance(0.5) ? 0 : driftRateMax)
    this.#startMs = random.next() * 1e6
  }

  suspend(): void {
    this.#suspendedSince ??= this.#now()
  }

  resume(): void {
    if (this.#suspendedSince === undefined) return
    this.#suspendedMs += this.#now() - this.#suspendedSince
    this.#suspendedSince = undefined
  }

  leaseReads(tickMs: number, driftRateMax: number): LeaseReadsConfig {
    return {
      monotonicMs: () => this.#startMs + (this.#now() - this.#suspendedMs) * this.#rate,
      wallMs: () => this.#now(),
      tickMs,
      driftRateMax,
    }
  }
}
