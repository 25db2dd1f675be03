// After a burst V8 keeps what it took for garbage until it needs the room again, which in a quiet server may be never. So when the
// event loop has had little to do for a while and the heap has grown, the garbage is collected. Only for a process of our own.
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const intervalMs = 1000
/** Of the interval. */
const busyPartMax = 0.1
/** Worth a collection. */
const growthBytesMin = 64 * 2 ** 20
/**
 * Quiet intervals after which it is collected: the first time finds the garbage, the second moves what is left together, and V8 makes
 * the young generation small. A short pause between requests is not yet quiet: compiled code holds the shapes of its objects weakly, so
 * a collection while no request lives throws the code of all requests away, and the next 4,000 take up to twice as long (seen with
 * `--trace-deopt`: 40 functions at every collection, "weak objects").
 */
const quietIntervals: readonly number[] = [6, 9]
const quietIntervalsMax = 9

/** What it looks at, for tests. */
export interface HeapProbe {
  /** Part of the time since the last call that the event loop was busy. */
  busyPart(): number
  /** Of the heap and of arrays outside it, garbage included. */
  sizeBytes(): number
  collect(): void
}

/** Collects garbage in quiet moments until it is stopped. */
export class IdleCollector {
  readonly #probe: HeapProbe
  readonly #timer: NodeJS.Timeout
  #leftBytes = 0
  /** One after the other, until now. */
  #quietIntervals = 0
  #isDue = false

  constructor(probe: HeapProbe = openHeapProbe()) {
    this.#probe = probe
    this.#timer = setInterval(() => this.look(), intervalMs)
    this.#timer.unref()
  }

  look(): void {
    const isBusy = this.#probe.busyPart() > busyPartMax
    if (this.#probe.sizeBytes() >= this.#leftBytes + growthBytesMin) {
      if (!this.#isDue) this.#quietIntervals = 0
      this.#isDue = true
    }
    this.#quietIntervals = isBusy ? 0 : this.#quietIntervals + 1
    if (!this.#isDue || !quietIntervals.includes(this.#quietIntervals)) return
    this.#probe.collect()
    this.#leftBytes = this.#probe.sizeBytes()
    this.#isDue = this.#quietIntervals < quietIntervalsMax
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function openHeapProbe(): HeapProbe {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let last = performance.eventLoopUtilization()
  return {
    busyPart: () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    },
    sizeBytes: () => {
      const { heapTotal, arrayBuffers } = process.memoryUsage()
      return heapTotal + arrayBuffers
    },
    collect: () => collect(),
  }
}
