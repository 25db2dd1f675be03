// What the index knows of one key: its newest state, and the older revisions that compaction has not taken yet. About 72 bytes
// and the key for a key that was never changed; 16 bytes more for every older revision.
import { assert } from '@balsa/raft/assert'

/** Invariant: `version` 0 means that the newest state is a tombstone; older revisions ascend and are below `main`. */
export class KeyRecord {
  readonly key: string
  /** Revision and sub-revision of the newest change. */
  main: number
  sub: number
  /** Of the live key: revision it was created at, and puts since then. */
  create: number
  version: number
  /** Pairs of main and code; code is the sub-revision, or -1 - sub for a tombstone. */
  older: number[] | undefined

  constructor(key: string, main: number, sub: number, create: number, version: number) {
    this.key = key
    this.main = main
    this.sub = sub
    this.create = create
    this.version = version
    this.older = undefined
  }

  /** Makes a later change the newest one. */
  advance(main: number, sub: number, create: number, version: number): void {
    const isLater = main > this.main || (main === this.main && sub > this.sub)
    assert(isLater, 'the changes of a key come in order')
    const code = this.version > 0 ? this.sub : -1 - this.sub
    if (this.older === undefined) this.older = [this.main, code]
    else this.older.push(this.main, code)
    this.main = main
    this.sub = sub
    this.create = create
    this.version = version
  }

  /** True if compaction may find something to drop here. */
  hasGarbage(): boolean {
    return this.older !== undefined || this.version === 0
  }

  isLiveAt(revision: number): boolean {
    return this.mainAt(revision) > 0
  }

  /** Revision of the change that is in force at `revision`; 0 if the key does not exist there. */
  mainAt(revision: number): number {
    if (this.main <= revision) return this.version > 0 ? this.main : 0
    const at = this.#olderAt(revision)
    return at < 0 || this.#code(at) < 0 ? 0 : this.#main(at)
  }

  /** The sub-revision that belongs to a positive mainAt(revision). */
  subAt(revision: number): number {
    if (this.main <= revision) return this.sub
    return this.#code(this.#olderAt(revision))
  }

  /**
   * Drops what no reader at `revision` or later can see: calls `drop` for at most `dropsMax` rows. The newest change up to
   * `revision` stays, unless it is a tombstone from before it. Returns the number of dropped rows; `isEmpty` when nothing is left.
   */
  compact(revision: number, dropsMax: number, drop: DropRow): { drops: number; isEmpty: boolean } {
    const older = this.older ?? []
    let end = this.#garbageEnd(revision)
    const drops = Math.min(end / 2, dropsMax)
    end = drops * 2
    for (let i = 0; i < end; i += 2) {
      const code = this.#code(i)
      drop(this.#main(i), code < 0 ? -1 - code : code, code < 0)
    }
    if (end === older.length) this.older = undefined
    else if (end > 0) this.older = older.slice(end)
    const gone = this.older === undefined && this.version === 0 && this.main < revision
    if (!gone || drops === dropsMax) return { drops, isEmpty: false }
    drop(this.main, this.sub, true)
    return { drops: drops + 1, isEmpty: true }
  }

  /** True if the row (main, sub) is the one a reader at `revision` sees. */
  isVisible(main: number, sub: number, revision: number): boolean {
    return this.mainAt(revision) === main && this.subAt(revision) === sub
  }

  /** Length of the prefix of `older` that is garbage once `revision` is the compact revision. */
  #garbageEnd(revision: number): number {
    if (this.older === undefined) return 0
    if (this.main <= revision) return this.older.length
    const at = this.#olderAt(revision)
    if (at < 0) return 0
    const isOldTombstone = this.#code(at) < 0 && this.#main(at) < revision
    return isOldTombstone ? at + 2 : at
  }

  /** Position in `older` of the newest change at or before `revision`; -1 if there is none. */
  #olderAt(revision: number): number {
    let low = 0
    let high = (this.older?.length ?? 0) / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#main(middle * 2) <= revision) low = middle + 1
      else high = middle
    }
    return low * 2 - 2
  }

  #main(at: number): number {
    return this.older?.[at] ?? 0
  }

  #code(at: number): number {
    return this.older?.[at + 1] ?? 0
  }
}

export type DropRow = (main: number, sub: number, tombstone: boolean) => void
