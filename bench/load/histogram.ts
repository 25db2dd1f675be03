// Latencies in buckets 2 % wide: cheap to add to, exact enough to read.

const ratio = 1.02
const perBucket = Math.log(ratio)

export class Histogram {
  readonly #counts = new Map<number, number>()
  #count = 0
  #sumUs = 0

  add(us: number): void {
    const bucket = Math.round(Math.log(Math.max(us, 1)) / perBucket)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
    this.#count++
    this.#sumUs += us
  }

  meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000
  }

  /** `part` between 0 and 1. */
  percentileMs(part: number): number {
    const buckets = [...this.#counts].sort(([a], [b]) => a - b)
    let seen = 0
    for (const [bucket, count] of buckets) {
      seen += count
      if (seen >= this.#count * part) return ratio ** bucket / 1000
    }
    return 0
  }
}
