// Which membership is in force on this member: that of the snapshot, then each change from the moment it is applied (thesis 4.1, but for
// "applied" in place of "appended", as etcd does it; one change at a time makes both safe).
import { assert } from './assert.ts'
import { decodeMembership, isSameMembership } from './membership.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type Membership,
  type SnapshotMeta,
} from './types.ts'

interface MembershipChange {
  readonly index: LogIndex
  readonly membership: Membership
}

export class MembershipHistory {
  /** In force from an index on, oldest first; the first one covers the log's snapshot. */
  #changes: [MembershipChange, ...MembershipChange[]]
  /** Handed out to be applied, in order. */
  #applying: MembershipChange[] = []

  constructor(snapshot: SnapshotMeta, entries: readonly Entry[], appliedIndex: LogIndex) {
    this.#changes = [snapshot]
    const applied = entries.filter((entry) => entry.index <= appliedIndex)
    this.#changes.push(...changesIn(applied))
  }

  get current(): Membership {
    return (this.#changes[this.#changes.length - 1] ?? this.#changes[0]).membership
  }

  /** Of the log's snapshot, as far as compact() was told of it. */
  get oldest(): Membership {
    return this.#changes[0].membership
  }

  /** These entries are about to be applied. */
  handOut(entries: readonly Entry[]): void {
    this.#applying.push(...changesIn(entries))
  }

  /** The next change handed out was applied. False if a snapshot that came meanwhile has brought a newer one. */
  apply(membership: Membership): boolean {
    const change = this.#applying.shift()
    if (change === undefined) return false
    assert(isSameMembership(change.membership, membership), 'changes are applied in log order')
    this.#changes.push(change)
    return true
  }

  restore(snapshot: SnapshotMeta): void {
    this.#changes = [snapshot]
    this.#applying = []
  }

  /** The log starts after `snapshotIndex` now. */
  compact(snapshotIndex: LogIndex): void {
    for (;;) {
      const [, next, ...rest] = this.#changes
      if (next === undefined || next.index > snapshotIndex) return
      this.#changes = [next, ...rest]
    }
  }

  verify(): void {
    let index = this.#changes[0].index
    for (const change of [...this.#changes.slice(1), ...this.#applying]) {
      assert(change.index > index, 'changes of membership are in log order')
      index = change.index
    }
  }
}

function changesIn(entries: readonly Entry[]): MembershipChange[] {
  const changes: MembershipChange[] = []
  for (const { type, index, data } of entries) {
    if (type !== entryType.membership) continue
    const membership = decodeMembership(data)
    assert(membership !== undefined, 'a membership entry holds a membership')
    changes.push({ index, membership })
  }
  return changes
}

/**
 * A change is proposed only when the one before is applied, so of those in any log all but the last are committed. Returns the
 * index of the last one that is known to be, or 0. To know it matters: campaigning with a membership that is two changes old
 * could find a quorum that overlaps no other.
 */
export function knownCommitted(entries: readonly Entry[]): LogIndex {
  const indexes = entries.filter((entry) => entry.type === entryType.membership)
  return indexes[indexes.length - 2]?.index ?? 0
}
