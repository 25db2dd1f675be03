// What the index knows of one key, as it was when the index was asked: its newest state, and the older revisions that compaction has
// not taken yet.
import { assert } from '@balsa/raft/assert'

/** Where a record reads its key when somebody asks for it: most never do. */
export interface KeySource {
  /** Changes whenever keys move in it. */
  readonly moves: number
  keyAt(slot: number): string
}

/** A revision and code each; code is the sub-revision, or -1 - sub for a tombstone. They ascend and are below the newest change. */
export type OlderRevisions = readonly number[]

/** Invariant: `version` 0 means that the newest state is a tombstone. */
export interface KeyState {
  /** Revision and sub-revision of the newest change. */
  readonly main: number
  readonly sub: number
  /** Of the live key: revision it was created at, and puts since then. */
  readonly create: number
  readonly version: number
}

/** Made for every key that a range visits, so it is kept plain. */
export class KeyRecord implements KeyState {
  readonly main: number
  readonly sub: number
  readonly create: number
  readonly version: number
  private readonly older: OlderRevisions | undefined
  private readonly source: KeySource
  private readonly slot: number
  private readonly moves: number

  constructor(source: KeySource, slot: number, state: KeyState, older: OlderRevisions | undefined) {
    this.main = state.main
    this.sub = state.sub
    this.create = state.create
    this.version = state.version
    this.older = older
    this.source = source
    this.slot = slot
    this.moves = source.moves
  }

  /** Must be read before keys are added to the index or removed. */
  get key(): string {
    assert(this.moves === this.source.moves, 'a key is read before the index changes')
    return this.source.keyAt(this.slot)
  }

  isLiveAt(revision: number): boolean {
    return this.mainAt(revision) > 0
  }

  /** Revision of the change that is in force at `revision`; 0 if the key does not exist there. */
  mainAt(revision: number): number {
    if (this.main <= revision) return this.version > 0 ? this.main : 0
    return olderMainAt(this.older, revision)
  }

  /** The sub-revision that belongs to a positive mainAt(revision). */
  subAt(revision: number): number {
    if (this.main <= revision) return this.sub
    return this.older?.[positionAt(this.older, revision) + 1] ?? 0
  }

  /** True if the row (main, sub) is the one a reader at `revision` sees. */
  isVisible(main: number, sub: number, revision: number): boolean {
    return this.mainAt(revision) === main && this.subAt(revision) === sub
  }
}

export type DropRow = (main: number, sub: number, tombstone: boolean) => void

/** Revision of the older change in force at `revision`; 0 if the key does not exist there. */
export function olderMainAt(older: OlderRevisions | undefined, revision: number): number {
  if (older === undefined) return 0
  const at = positionAt(older, revision)
  return at < 0 || (older[at + 1] ?? 0) < 0 ? 0 : (older[at] ?? 0)
}

/**
 * What is left of a key's older revisions when no reader at `revision` or later may miss anything: calls `drop` for at most `dropsMax`
 * rows. The newest change up to `revision` stays, unless it is a tombstone from before it. `isEmpty`: nothing is left of the key.
 */
export function compactKey(
  newest: KeyState,
  older: OlderRevisions | undefined,
  revision: number,
  dropsMax: number,
  drop: DropRow,
): { drops: number; older: number[] | undefined; isEmpty: boolean } {
  const history = older ?? []
  let end = garbageEnd(newest, history, revision)
  const drops = Math.min(end / 2, dropsMax)
  end = drops * 2
  for (let i = 0; i < end; i += 2) {
    const code = history[i + 1] ?? 0
    drop(history[i] ?? 0, code < 0 ? -1 - code : code, code < 0)
  }
  const left = end === history.length ? undefined : history.slice(end)
  const isGone = left === undefined && newest.version === 0 && newest.main < revision
  if (!isGone || drops === dropsMax) return { drops, older: left, isEmpty: false }
  drop(newest.main, newest.sub, true)
  return { drops: drops + 1, older: undefined, isEmpty: true }
}

/** Length of the prefix of `older` that is garbage once `revision` is the compact revision. */
function garbageEnd(newest: KeyState, older: OlderRevisions, revision: number): number {
  if (newest.main <= revision) return older.length
  const at = positionAt(older, revision)
  if (at < 0) return 0
  const isOldTombstone = (older[at + 1] ?? 0) < 0 && (older[at] ?? 0) < revision
  return isOldTombstone ? at + 2 : at
}

/** Position in `older` of the newest change at or before `revision`; negative if there is none. */
function positionAt(older: OlderRevisions, revision: number): number {
  let low = 0
  let high = older.length / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((older[middle * 2] ?? 0) <= revision) low = middle + 1
    else high = middle
  }
  return low * 2 - 2
}
