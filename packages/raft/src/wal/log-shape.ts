// What the log looks like without its payloads: base, last index, where terms begin and which entries change the membership. Small
// enough to keep for the whole log; it answers which base a compaction leaves behind.
import { assert } from '../core/assert.ts'
import { decodeMembership } from '../core/membership.ts'
import { TermRuns } from '../core/term-runs.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type Membership,
  type SnapshotMeta,
  type Term,
} from '../core/types.ts'

interface MembershipEntry {
  readonly index: LogIndex
  readonly membership: Membership
}

export class LogShape {
  #base: SnapshotMeta
  #runs: TermRuns
  #memberships: MembershipEntry[]

  constructor(base: SnapshotMeta) {
    this.#base = base
    this.#runs = new TermRuns(base)
    this.#memberships = []
  }

  get base(): SnapshotMeta {
    return this.#base
  }

  get lastIndex(): LogIndex {
    return this.#runs.lastIndex
  }

  get lastTerm(): Term {
    return this.#runs.lastTerm
  }

  /** Undefined for what lies before the base or after the end. */
  termAt(index: LogIndex): Term | undefined {
    return this.#runs.termAt(index)
  }

  /** The membership in force once everything up to `index` is applied. */
  membershipAt(index: LogIndex): Membership {
    const last = this.#memberships.findLast((entry) => entry.index <= index)
    return last?.membership ?? this.#base.membership
  }

  /** Appends, after dropping everything from the first entry's index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0]
    if (first === undefined) return
    assert(first.index > this.#base.index, 'what the base covers is not written again')
    assert(first.index <= this.lastIndex + 1, 'the log has no gap')
    this.#cut(first.index)
    for (const entry of entries) {
      this.#runs.append(entry.term)
      if (entry.type === entryType.membership) {
        const membership = decodeMembership(entry.data)
        assert(membership !== undefined, 'a membership entry holds a membership')
        this.#memberships.push({ index: entry.index, membership })
      }
    }
  }

  #cut(index: LogIndex): void {
    if (index > this.lastIndex) return
    this.#runs.cut(index)
    this.#memberships = this.#memberships.filter((entry) => entry.index < index)
  }

  /** A snapshot takes the place of the whole log. */
  replace(base: SnapshotMeta): void {
    this.#base = base
    this.#runs = new TermRuns(base)
    this.#memberships = []
  }

  /** Moves the base forward to `index`, which must be committed. */
  compact(index: LogIndex): SnapshotMeta {
    assert(index >= this.#base.index && index <= this.lastIndex, 'the base moves within the log')
    const term = this.termAt(index)
    assert(term !== undefined, 'the log has no gap')
    this.#base = { index, term, membership: this.membershipAt(index) }
    this.#runs.compact(index)
    this.#memberships = this.#memberships.filter((entry) => entry.index > index)
    return this.#base
  }
}
