// What a user may read or write, as a set of key ranges: kept merged, so that grants which touch or overlap count as one.
import type { KeyRange } from '../mvcc/key-range.ts'

/** Sorted, apart from each other; built by mergeRanges. */
export type MergedRanges = readonly KeyRange[]

/** Ranges that are empty, as with an end before the key, are left out. */
export function mergeRanges(ranges: readonly KeyRange[]): MergedRanges {
  const sorted = ranges
    .filter(({ from, to }) => to === undefined || to > from)
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const merged: KeyRange[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    const touches = last !== undefined && (last.to === undefined || range.from <= last.to)
    if (!touches) merged.push(range)
    else merged[merged.length - 1] = { from: last.from, to: laterEnd(last.to, range.to) }
  }
  return merged
}

/** True if every key of `range`, which has some, is in the set. */
export function covers(merged: MergedRanges, range: KeyRange): boolean {
  let low = 0
  let high = merged.length
  // The last range that starts at or before `from`: since they are apart, no other can hold it.
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((merged[middle]?.from ?? '') <= range.from) low = middle + 1
    else high = middle
  }
  const found = merged[low - 1]
  if (found === undefined) return false
  if (found.to === undefined) return true
  if (range.from >= found.to) return false
  return range.to !== undefined && range.to <= found.to
}

function laterEnd(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return undefined
  return a > b ? a : b
}
