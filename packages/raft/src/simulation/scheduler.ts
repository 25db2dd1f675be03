// Simulated time: a queue of things to do, in the order of their time and, at the same time, in the order they were asked for.
import { assert } from '../core/assert.ts'

interface Scheduled {
  readonly at: number
  readonly order: number
  callback: (() => void) | undefined
}

export class Scheduler {
  readonly #heap: Scheduled[] = []
  /** Due now, in their order: half of all there is to do never sees the heap. */
  #due: Scheduled[] = []
  #dueIndex = 0
  #now = 0
  #order = 0

  /** Milliseconds since the start of the run. */
  get now(): number {
    return this.#now
  }

  /** Returns the cancel function. */
  after(delayMs: number, callback: () => void): () => void {
    assert(delayMs >= 0, 'time does not run backwards')
    const item: Scheduled = { at: this.#now + delayMs, order: this.#order++, callback }
    if (delayMs === 0) this.#due.push(item)
    else this.#push(item)
    return () => {
      item.callback = undefined
    }
  }

  /** Moves the time to the next thing and does it. False when nothing is left. */
  runNext(): boolean {
    for (;;) {
      const item = this.#next()
      if (item === undefined) return false
      const { callback } = item
      if (callback === undefined) continue
      assert(item.at >= this.#now, 'time does not run backwards')
      this.#now = item.at
      item.callback = undefined
      callback()
      return true
    }
  }

  /** What is due now goes first, unless something that was asked for earlier falls on the same time. */
  #next(): Scheduled | undefined {
    const due = this.#due[this.#dueIndex]
    const top = this.#heap[0]
    if (due === undefined || (top !== undefined && isBefore(top, due))) return this.#pop()
    this.#dueIndex++
    if (this.#dueIndex === this.#due.length) {
      this.#due = []
      this.#dueIndex = 0
    }
    return due
  }

  #push(item: Scheduled): void {
    const heap = this.#heap
    let i = heap.length
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(item, above)) break
      heap[i] = above
      i = parent
    }
    heap[i] = item
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const right = heap[child + 1]
      let below = heap[child]
      if (below !== undefined && right !== undefined && isBefore(right, below)) {
        child++
        below = right
      }
      if (below === undefined || !isBefore(below, last)) break
      heap[i] = below
      i = child
    }
    heap[i] = last
    return top
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
