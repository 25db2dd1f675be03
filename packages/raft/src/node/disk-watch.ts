// Notices a disk that hangs: a write of the log that does not come back. Time that this process did not run does not count, or every pause
// of it would look like a slow disk.
export interface DiskWatchOptions {
  /** So long a write may take. */
  readonly patienceMs: number
  /** How often check() is called. */
  readonly tickMs: number
  /** Which write is under way, by a number of its own; undefined: none. */
  readonly pendingWrite: () => number | undefined
  readonly onChange: (isStalled: boolean) => void
}

/** A check that comes later than so many ticks after the last one was held up itself. */
const lateTicks = 2

export class DiskWatch {
  readonly #options: DiskWatchOptions
  #write: number | undefined
  #waitedMs = 0
  #checkedAt = 0
  #isStalled = false

  constructor(options: DiskWatchOptions) {
    this.#options = options
  }

  get isStalled(): boolean {
    return this.#isStalled
  }

  /** Called with every tick, and when a write has come back. */
  check(now: number): void {
    const { patienceMs, tickMs, pendingWrite, onChange } = this.#options
    const sinceMs = Math.min(now - this.#checkedAt, lateTicks * tickMs)
    this.#checkedAt = now
    const write = pendingWrite()
    this.#waitedMs = write !== undefined && write === this.#write ? this.#waitedMs + sinceMs : 0
    this.#write = write
    const isStalled = this.#waitedMs > patienceMs
    if (isStalled === this.#isStalled) return
    this.#isStalled = isStalled
    onChange(isStalled)
  }
}
