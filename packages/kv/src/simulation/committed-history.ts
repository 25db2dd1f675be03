// What the cluster has decided, revision by revision, as seen in the tables of its members: the first member that writes a revision says
// what it is, all others are held to it. Against this history every answer and every event is judged.
import { keyText } from '../mvcc/key-text.ts'
import { isInRange, type KeyRange } from '../mvcc/key-range.ts'
import { parseRowKey } from '../mvcc/revision.ts'
import { decodeKeyValue } from '../proto/index.ts'
import { Violation } from './violation.ts'

/** A pair as it was at some revision. */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly create: number
  readonly mod: number
  readonly version: number
  readonly lease: bigint
}

/** One change of a revision; without `pair` the key was deleted. */
export interface Change {
  readonly key: string
  readonly pair: Pair | undefined
}

export interface Revision {
  readonly number: number
  readonly changes: readonly Change[]
  /** When the first member had it. */
  readonly atMs: number
}

/** A row of the history table as a member wrote it. */
export interface WrittenRow {
  readonly key: string
  readonly value: Uint8Array
}

const firstRevision = 1

export class CommittedHistory {
  readonly #now: () => number
  /** That of revision 2 comes first. */
  readonly #revisions: Revision[] = []
  /** Every change of a key, in order. */
  readonly #changesOf = new Map<
    string,
    { readonly at: number; readonly pair: Pair | undefined }[]
  >()
  /** The newest that any member holds. */
  compactRevision = -1

  constructor(now: () => number) {
    this.#now = now
  }

  get revision(): number {
    return firstRevision + this.#revisions.length
  }

  at(number: number): Revision | undefined {
    return this.#revisions[number - firstRevision - 1]
  }

  /** Takes the rows that `member` wrote in one turn, in their order. Throws a Violation if they are not what others wrote. */
  written(member: string, rows: readonly WrittenRow[]): void {
    let at = 0
    while (at < rows.length) {
      const main = mainOf(rows[at])
      let end = at
      while (end < rows.length && mainOf(rows[end]) === main) end++
      this.#revision(member, main, rows.slice(at, end))
      at = end
    }
  }

  /** A row that came with a snapshot. */
  copied(member: string, row: WrittenRow): void {
    const position = parseRowKey(row.key)
    const revision = position && this.at(position.main)
    const change = revision?.changes[position?.sub ?? 0]
    if (change !== undefined && isSameChange(change, changeOf(row))) return
    throw new Violation(
      'revisions',
      `${member} got a row of revision ${position?.main} with a snapshot that nobody has written`,
    )
  }

  #revision(member: string, main: number, rows: readonly WrittenRow[]): void {
    const changes = rows.map((row, sub) => {
      if (parseRowKey(row.key)?.sub === sub) return changeOf(row)
      throw new Violation('revisions', `${member} leaves out a change of revision ${main}`)
    })
    const known = this.at(main)
    if (known === undefined) this.#append(member, main, changes)
    else if (!isSame(known.changes, changes)) {
      const what = `${describe(changes)}, others have ${describe(known.changes)}`
      throw new Violation('revisions', `revision ${main} of ${member} is ${what}`)
    }
  }

  #append(member: string, main: number, changes: readonly Change[]): void {
    if (main !== this.revision + 1) {
      const what = `${member} makes revision ${main} where ${this.revision + 1} is next`
      throw new Violation('revisions', what)
    }
    this.#revisions.push({ number: main, changes, atMs: this.#now() })
    for (const { key, pair } of changes) {
      const list = this.#changesOf.get(key)
      if (list === undefined) this.#changesOf.set(key, [{ at: main, pair }])
      else list.push({ at: main, pair })
    }
  }

  pairAt(key: string, revision: number): Pair | undefined {
    const changes = this.#changesOf.get(key) ?? []
    for (let i = changes.length - 1; i >= 0; i--) {
      const change = changes[i]
      if (change !== undefined && change.at <= revision) return change.pair
    }
    return undefined
  }

  /** The live pairs of a range in the order of their keys. */
  rangeAt(range: KeyRange, revision: number): Pair[] {
    const pairs: Pair[] = []
    for (const key of this.#changesOf.keys()) {
      if (!isInRange(range, key)) continue
      const pair = this.pairAt(key, revision)
      if (pair !== undefined) pairs.push(pair)
    }
    return pairs.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** The keys on a lease, in order. */
  keysOfLease(lease: bigint, revision: number): string[] {
    const all = this.rangeAt({ from: '', to: undefined }, revision)
    return all.filter((pair) => pair.lease === lease).map(({ key }) => key)
  }
}

export function pairOf(row: Uint8Array): Pair {
  const kv = decodeKeyValue(row)
  return {
    key: keyText(kv.key),
    value: keyText(kv.value),
    create: kv.createRevision,
    mod: kv.modRevision,
    version: kv.version,
    lease: kv.lease,
  }
}

export function isSamePair(a: Pair | undefined, b: Pair | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.key === b.key &&
    a.value === b.value &&
    a.create === b.create &&
    a.mod === b.mod &&
    a.version === b.version &&
    a.lease === b.lease
  )
}

export function isSame(a: readonly Change[], b: readonly Change[]): boolean {
  return a.length === b.length && a.every((change, i) => isSameChange(change, b[i]))
}

export function describe(changes: readonly Change[]): string {
  const texts = changes.map(({ key, pair }) => (pair === undefined ? `-${key}` : pairText(pair)))
  return `[${texts.join(', ')}]`
}

export function pairText(pair: Pair | undefined): string {
  if (pair === undefined) return 'nothing'
  const { key, value, create, mod, version, lease } = pair
  return `${key}=${value} (${create}/${mod}/${version}${lease === 0n ? '' : ` lease ${lease}`})`
}

function isSameChange(a: Change, b: Change | undefined): boolean {
  return b !== undefined && a.key === b.key && isSamePair(a.pair, b.pair)
}

function mainOf(row: WrittenRow | undefined): number {
  return row === undefined ? 0 : (parseRowKey(row.key)?.main ?? 0)
}

function changeOf({ key, value }: WrittenRow): Change {
  const pair = pairOf(value)
  const isTombstone = parseRowKey(key)?.tombstone === true
  return { key: pair.key, pair: isTombstone ? undefined : pair }
}
