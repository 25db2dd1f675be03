// How new this member's state is known to be, for reads that may be somewhat old: a round to the leader says that everything which was
// committed when it began is here. All times are of this member's own clock, so no two clocks need to agree.
import type { MemberClock } from './member-clock.ts'

export interface FreshnessOptions {
  readonly clock: MemberClock
  /** Calls back without error once this member has everything that was committed when it was called. */
  readonly read: (done: (error: Error | undefined) => void) => void
}

export class Freshness {
  readonly #options: FreshnessOptions
  /** Everything that was committed before this moment is here. */
  #knownAtMs = -Infinity
  #isAsking = false

  constructor(options: FreshnessOptions) {
    this.#options = options
  }

  /** As `read`, and remembers what came of it. */
  read(done: (error: Error | undefined) => void): void {
    const { clock, read } = this.#options
    const startMs = clock.now()
    read((error) => {
      if (error === undefined) this.#knownAtMs = Math.max(this.#knownAtMs, startMs)
      done(error)
    })
  }

  /** Calls back at once if the state here is no older, else after a round; who asks often waits for none of them. */
  readStale(maxStalenessMs: number, done: (error: Error | undefined) => void): void {
    const ageMs = this.#options.clock.now() - this.#knownAtMs
    if (ageMs > maxStalenessMs) {
      this.read(done)
      return
    }
    if (ageMs > maxStalenessMs / 2 && !this.#isAsking) {
      this.#isAsking = true
      // What went wrong shows when the bound is reached.
      this.read(() => (this.#isAsking = false))
    }
    done(undefined)
  }
}
