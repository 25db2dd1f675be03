// What a user may read, or may write. Ranges that hold keys are looked up in what the grants add up to; those that end before they begin
// are judged as etcd judges them.
import type { KeyRange } from '../mvcc/key-range.ts'
import { GrantTree, type Interval } from './grant-tree.ts'
import { covers, mergeRanges, type MergedRanges } from './intervals.ts'

export class Allowance {
  readonly #grants: readonly KeyRange[]
  readonly #merged: MergedRanges
  /** Once such a range was asked for. */
  #tree: GrantTree | undefined

  /** In the order in which the user's roles have them. One for the empty key holds no key at all, as in etcd. */
  constructor(grants: readonly KeyRange[]) {
    this.#grants = grants
    this.#merged = mergeRanges(grants.filter(({ from }) => from !== ''))
  }

  covers(range: KeyRange): boolean {
    if (range.to === undefined || range.to > range.from) return covers(this.#merged, range)
    this.#tree ??= new GrantTree(this.#grants.map(intervalOf))
    return this.#tree.covers(intervalOf(range))
  }
}

function intervalOf({ from, to }: KeyRange): Interval {
  return { begin: from === '' ? undefined : from, end: to }
}
