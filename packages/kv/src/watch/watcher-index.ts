// Finds the watchers of a key: those of exactly that key in a map, those of ranges in blocks sorted by the start of the range, each
// block with the furthest end in it, so that an event passes over the blocks that cannot hold a watcher of it.
import { assert } from '@balsa/raft/assert'
import type { KeyRange } from '../mvcc/key-range.ts'
import type { WatchEvent } from './watch-event.ts'
import type { EventForm, Watcher } from './watcher.ts'

const blockGroupsMax = 64

/** Watchers of one range, by form. */
export interface WatcherGroup {
  readonly range: KeyRange
  readonly forms: Map<EventForm, Set<Watcher>>
  /** Events of the notification that is going on. */
  pending: WatchEvent[]
}

interface Block {
  groups: WatcherGroup[]
  /** The furthest range end; undefined: there is one without end. */
  to: string | undefined
}

export class WatcherIndex {
  readonly #exact = new Map<string, WatcherGroup>()
  /** Invariant: no block is empty. */
  readonly #blocks: Block[] = []

  add(watcher: Watcher): void {
    const group = this.#group(watcher.range)
    const watchers = group.forms.get(watcher.form)
    if (watchers === undefined) group.forms.set(watcher.form, new Set([watcher]))
    else watchers.add(watcher)
  }

  remove(watcher: Watcher): void {
    const group = this.#find(watcher.range)
    const watchers = group?.forms.get(watcher.form)
    const isRemoved = watchers?.delete(watcher) === true
    assert(isRemoved && group !== undefined, 'a synced watcher is in the index')
    if (watchers.size > 0) return
    group.forms.delete(watcher.form)
    if (group.forms.size === 0) this.#removeGroup(group)
  }

  /** Calls `visit` for every group whose range holds the key. */
  visit(key: string, visit: (group: WatcherGroup) => void): void {
    const exact = this.#exact.get(key)
    if (exact !== undefined) visit(exact)
    for (const { groups, to } of this.#blocks) {
      const first = groups[0]
      if (first === undefined || first.range.from > key) return
      if (to !== undefined && to <= key) continue
      for (const group of groups) {
        if (group.range.from > key) break
        if (group.range.to === undefined || key < group.range.to) visit(group)
      }
    }
  }

  #group(range: KeyRange): WatcherGroup {
    const found = this.#find(range)
    if (found !== undefined) return found
    const group: WatcherGroup = { range, forms: new Map(), pending: [] }
    if (isExact(range)) this.#exact.set(range.from, group)
    else this.#insert(group)
    return group
  }

  #find(range: KeyRange): WatcherGroup | undefined {
    if (isExact(range)) return this.#exact.get(range.from)
    const block = this.#blocks[this.#blockAt(range)]
    const group = block?.groups[lowerBound(block.groups, range)]
    return group !== undefined && compareRanges(group.range, range) === 0 ? group : undefined
  }

  #insert(group: WatcherGroup): void {
    const blockAt = this.#blockAt(group.range)
    const block = this.#blocks[blockAt]
    if (block === undefined) {
      this.#blocks.push({ groups: [group], to: group.range.to })
      return
    }
    block.groups.splice(lowerBound(block.groups, group.range), 0, group)
    if (block.groups.length > blockGroupsMax) {
      const groups = block.groups.splice(blockGroupsMax >>> 1)
      this.#blocks.splice(blockAt + 1, 0, { groups, to: furthestEnd(groups) })
    }
    block.to = furthestEnd(block.groups)
  }

  #removeGroup(group: WatcherGroup): void {
    if (isExact(group.range)) {
      this.#exact.delete(group.range.from)
      return
    }
    const blockAt = this.#blockAt(group.range)
    const block = this.#blocks[blockAt]
    assert(block !== undefined, 'the block of a group is there')
    block.groups.splice(block.groups.indexOf(group), 1)
    if (block.groups.length === 0) this.#blocks.splice(blockAt, 1)
    else block.to = furthestEnd(block.groups)
  }

  /** The block that holds the range or would; 0 when there is none. */
  #blockAt(range: KeyRange): number {
    let low = 1
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.#blocks[middle]?.groups[0]
      if (first !== undefined && compareRanges(first.range, range) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function isExact(range: KeyRange): boolean {
  return range.to === range.from + '\0'
}

function lowerBound(groups: readonly WatcherGroup[], range: KeyRange): number {
  const at = groups.findIndex((group) => compareRanges(group.range, range) >= 0)
  return at < 0 ? groups.length : at
}

function compareRanges(a: KeyRange, b: KeyRange): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1
  if (a.to === b.to) return 0
  if (a.to === undefined) return 1
  return b.to === undefined || a.to < b.to ? -1 : 1
}

function furthestEnd(groups: readonly WatcherGroup[]): string | undefined {
  let furthest = ''
  for (const { range } of groups) {
    if (range.to === undefined) return undefined
    if (range.to > furthest) furthest = range.to
  }
  return furthest
}
