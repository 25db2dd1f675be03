// Remembers which forwarded proposals a leader has taken in its term, so that one the network repeats is not appended twice. A leader
// never leads the same term twice, so nothing of this needs to last.
import { assert } from './assert.ts'
import type { NodeId } from './types.ts'

/** Per sender; a repeat that comes later than this many newer messages is beyond any real network. */
const sequencesMax = 1024

export class RepeatFilter {
  readonly #seen = new Map<NodeId, Set<number>>()

  isNew(from: NodeId, sequence: number): boolean {
    let seen = this.#seen.get(from)
    if (seen === undefined) {
      seen = new Set()
      this.#seen.set(from, seen)
    }
    if (seen.has(sequence)) return false
    seen.add(sequence)
    if (seen.size > sequencesMax) {
      const [oldest] = seen
      assert(oldest !== undefined, 'a full set has an oldest member')
      seen.delete(oldest)
    }
    return true
  }
}
