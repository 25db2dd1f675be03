// Compacts unasked, by etcd's rules: to the revision of one retention ago, every retention or every hour if that is shorter; or so
// that a number of revisions stays. Every member keeps time, the leader compacts.
import type { MemberClock } from './member-clock.ts'
import type { CompactionPlan } from './storage-options.ts'

const hourMs = 3_600_000
const revisionIntervalMs = 5 * 60_000
/** A periodic one is looked at so often in each of its intervals. */
const looksPerInterval = 10

export interface AutoCompactionOptions {
  readonly plan: CompactionPlan
  readonly clock: MemberClock
  readonly revision: () => number
  readonly isLeader: () => boolean
  /** `done` with true if what is below the revision is gone, by this or by an earlier compaction. */
  readonly compact: (revision: number, done: (isCompacted: boolean) => void) => void
}

export class AutoCompaction {
  readonly #options: AutoCompactionOptions
  /** Seen at each look, the oldest first. */
  readonly #seen: number[] = []
  #last = 0
  #lastSuccessMs: number
  #hasCompacted = false
  #cancel: () => void = () => undefined

  constructor(options: AutoCompactionOptions) {
    this.#options = options
    this.#lastSuccessMs = options.clock.now()
    const { plan } = options
    if (plan?.mode === 'periodic') this.#schedulePeriodic(plan.periodMs)
    else if (plan?.mode === 'revision') this.#scheduleRevision(plan.revisions)
  }

  stop(): void {
    this.#cancel()
  }

  #scheduleRevision(revisions: number): void {
    this.#cancel = this.#options.clock.setTimer(revisionIntervalMs, () => {
      this.#scheduleRevision(revisions)
      const target = this.#options.revision() - revisions
      if (target > 0) this.#compact(target)
    })
  }

  #schedulePeriodic(periodMs: number): void {
    const { clock, revision } = this.#options
    const intervalMs = Math.min(periodMs, hourMs)
    const lookMs = intervalMs / looksPerInterval
    this.#seen.push(revision())
    if (this.#seen.length > Math.floor(periodMs / lookMs) + 1) this.#seen.shift()
    this.#cancel = clock.setTimer(lookMs, () => {
      const [target = 0] = this.#seen
      // The first time a whole period must have passed.
      const waitMs = this.#hasCompacted ? intervalMs : periodMs
      if (clock.now() - this.#lastSuccessMs >= waitMs) this.#compact(target)
      this.#schedulePeriodic(periodMs)
    })
  }

  #compact(revision: number): void {
    const { clock, isLeader, compact } = this.#options
    if (!isLeader() || revision === this.#last) return
    this.#hasCompacted = true
    compact(revision, (isCompacted) => {
      if (!isCompacted) return
      this.#last = revision
      this.#lastSuccessMs = clock.now()
    })
  }
}
