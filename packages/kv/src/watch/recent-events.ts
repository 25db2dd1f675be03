// The latest revisions' events, bounded in bytes: most watchers that fell behind catch up from here without touching the tables.
import { assert } from '@balsa/raft/assert'
import type { WatchEvent } from './watch-event.ts'

/** What an event costs beside its row. */
const eventOverheadBytes = 200

export class RecentEvents {
  readonly #sizeBytesMax: number
  #events: WatchEvent[] = []
  /** Events before this position are dropped. */
  #start = 0
  #sizeBytes = 0
  #firstRevision: number

  /** Holds every event from `firstRevision` on. */
  constructor(firstRevision: number, sizeBytesMax: number) {
    this.#firstRevision = firstRevision
    this.#sizeBytesMax = sizeBytesMax
  }

  /** The oldest revision whose events are all here. */
  get firstRevision(): number {
    return this.#firstRevision
  }

  add(events: readonly WatchEvent[]): void {
    for (const event of events) {
      this.#events.push(event)
      this.#sizeBytes += event.sizeBytes + eventOverheadBytes
    }
    while (this.#sizeBytes > this.#sizeBytesMax) this.#dropRevision()
    if (this.#start > 1000 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start)
      this.#start = 0
    }
  }

  /** Events of whole revisions from `revision` on, of at most `revisionsMax` revisions and about `sizeBytesMax` bytes. */
  from(revision: number, revisionsMax: number, sizeBytesMax: number): WatchEvent[] {
    assert(revision >= this.#firstRevision, 'the events asked for are still here')
    const events: WatchEvent[] = []
    let revisions = 0
    let sizeBytes = 0
    let last = 0
    for (let at = this.#firstAt(revision); at < this.#events.length; at++) {
      const event = this.#events[at]
      if (event === undefined) break
      if (event.revision !== last) {
        if (revisions === revisionsMax || sizeBytes >= sizeBytesMax) break
        revisions++
        last = event.revision
      }
      sizeBytes += event.sizeBytes
      events.push(event)
    }
    return events
  }

  #firstAt(revision: number): number {
    let low = this.#start
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = this.#events[middle]
      if (event !== undefined && event.revision < revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #dropRevision(): void {
    const revision = this.#events[this.#start]?.revision
    assert(revision !== undefined, 'events that take space are there')
    for (;;) {
      const event = this.#events[this.#start]
      if (event === undefined || event.revision !== revision) break
      this.#sizeBytes -= event.sizeBytes + eventOverheadBytes
      this.#start++
    }
    this.#firstRevision = revision + 1
  }
}
