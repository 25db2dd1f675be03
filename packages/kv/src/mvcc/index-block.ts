// Up to blockKeysMax keys of the index, sorted, packed into bytes: what all keys begin with is there once, and nothing has to be visited
// by a garbage collector. Only keys with history have an array of their own.
import { assert } from '@balsa/raft/assert'
import {
  compactKey,
  KeyRecord,
  olderMainAt,
  type DropRow,
  type KeySource,
  type KeyState,
} from './key-record.ts'
import { keyBytes, keyText } from './key-text.ts'
import { PackedSlots, type SlotParts } from './packed-slots.ts'

export const blockKeysMax = 256

/** Invariant: keys ascend; `live` and `garbage` count what their names say. */
export class IndexBlock implements KeySource {
  /** Keys whose newest state is not a tombstone. */
  live = 0
  /** Keys with older revisions or a tombstone: the only ones compaction has to look at. */
  garbage = 0
  moves = 0
  readonly #slots: PackedSlots
  /** What all keys begin with. */
  #prefix: string
  /** The rest of each key, one after the other. */
  #keys: Uint8Array
  /** By slot; missing while no key has any. */
  #older: (number[] | undefined)[] | undefined

  /** Takes over parts that were copied out of another block or a checkpoint; the caller has checked that they fit together. */
  constructor(parts?: BlockParts) {
    this.#slots = new PackedSlots(parts?.slots)
    this.#prefix = parts?.prefix ?? ''
    this.#keys = parts?.keys ?? noKeys
    this.#older = parts?.older
    this.#recount()
  }

  get count(): number {
    return this.#slots.count
  }

  /** Copies of the slots [from, to), of which there is one at least. */
  copy(from: number, to: number): BlockParts {
    assert(from < to && to <= this.count, 'what is copied is there')
    const slots = this.#slots.copy(from, to)
    const older = this.#older?.slice(from, to)
    const keys = this.#keys.slice(this.#start(from), this.#start(to))
    const shared = sameStart(this.keyAt(from), this.keyAt(to - 1))
    const more = shared - this.#prefix.length
    if (more === 0) return { prefix: this.#prefix, keys, slots, older }
    // Neighbours have more in common than all keys of the block had.
    const shorter = new PackedSlots(slots)
    let end = 0
    for (let slot = 0; slot < slots.count; slot++) {
      const rest = keys.subarray(shorter.end(slot - 1) + more, shorter.end(slot))
      keys.set(rest, end)
      end += rest.length
    }
    shorter.lengthen(-more)
    const prefix = this.keyAt(from).slice(0, shared)
    return { prefix, keys: keys.slice(0, end), slots: shorter.copy(0, slots.count), older }
  }

  keyAt(slot: number): string {
    return this.#prefix + keyText(this.#keys.subarray(this.#start(slot), this.#start(slot + 1)))
  }

  record(slot: number): KeyRecord {
    return new KeyRecord(this, slot, this.#slots.state(slot), this.#older?.[slot])
  }

  isLiveAt(slot: number, revision: number): boolean {
    if (this.#slots.main(slot) <= revision) return this.#slots.version(slot) > 0
    return olderMainAt(this.#older?.[slot], revision) > 0
  }

  hasGarbage(slot: number): boolean {
    return this.#older?.[slot] !== undefined || this.#slots.version(slot) === 0
  }

  /** The first slot whose key is not below `key`. */
  lowerBound(key: string): number {
    const { length: skip } = this.#prefix
    if (!key.startsWith(this.#prefix)) return key < this.#prefix ? 0 : this.count
    const slots = this.#slots
    const keys = this.#keys
    let low = 0
    let high = slots.count
    // What the keys at both ends of the search have in common with `key`, all keys in between have too.
    let sameLow = 0
    let sameHigh = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const start = slots.end(middle - 1)
      const length = slots.end(middle) - start
      let same = Math.min(sameLow, sameHigh)
      const sameMax = Math.min(length, key.length - skip)
      while (same < sameMax && keys[start + same] === key.charCodeAt(skip + same)) same++
      const isBelow =
        same < sameMax
          ? (keys[start + same] ?? 0) < key.charCodeAt(skip + same)
          : length < key.length - skip
      if (isBelow) {
        low = middle + 1
        sameLow = same
      } else {
        high = middle
        sameHigh = same
      }
    }
    return low
  }

  isAt(slot: number, key: string): boolean {
    if (slot >= this.count) return false
    const start = this.#start(slot)
    const { length: skip } = this.#prefix
    if (this.#start(slot + 1) - start !== key.length - skip) return false
    for (let i = key.length - 1; i >= skip; i--) {
      if (this.#keys[start + i - skip] !== key.charCodeAt(i)) return false
    }
    return key.startsWith(this.#prefix)
  }

  insert(slot: number, key: string, state: KeyState): void {
    assert(this.count < blockKeysMax, 'a full block is split before')
    if (this.count === 0) this.#prefix = key
    else if (!key.startsWith(this.#prefix)) this.#shorten(sameStart(key, this.#prefix))
    const { length: skip } = this.#prefix
    const sizeBytes = key.length - skip
    const start = this.#makeRoom(slot, sizeBytes)
    for (let i = 0; i < sizeBytes; i++) this.#keys[start + i] = key.charCodeAt(skip + i)
    this.#slots.insert(slot, state, sizeBytes)
    this.#older?.splice(slot, 0, undefined)
    this.moves++
    if (state.version > 0) this.live++
    else this.garbage++
  }

  /** Makes a later change the newest one. */
  advance(slot: number, state: KeyState): void {
    const { main, sub, version } = this.#slots.state(slot)
    const isLater = state.main > main || (state.main === main && state.sub > sub)
    assert(isLater, 'the changes of a key come in order')
    if (!this.hasGarbage(slot)) this.garbage++
    this.live += Number(state.version > 0) - Number(version > 0)
    this.#older ??= Array.from({ length: this.count }, () => undefined)
    const older = (this.#older[slot] ??= [])
    older.push(main, version > 0 ? sub : -1 - sub)
    this.#slots.write(slot, state)
  }

  /** See compactKey. A key of which nothing is left is taken out. */
  compact(
    slot: number,
    revision: number,
    dropsMax: number,
    drop: DropRow,
  ): { drops: number; isEmpty: boolean } {
    const newest = this.#slots.state(slot)
    const { drops, older, isEmpty } = compactKey(
      newest,
      this.#older?.[slot],
      revision,
      dropsMax,
      drop,
    )
    if (this.#older !== undefined) this.#older[slot] = older
    if (isEmpty) this.#remove(slot)
    else if (!this.hasGarbage(slot)) this.garbage--
    if (this.garbage === 0) this.#older = undefined
    return { drops, isEmpty }
  }

  /** Gives back what it does not need: for a block that will hardly grow any more. */
  trim(): void {
    const end = this.#start(this.count)
    if (this.#keys.length > end) this.#keys = this.#keys.slice(0, end)
    this.#slots.trim()
  }

  /** Throws when an invariant does not hold; for tests. */
  verify(): void {
    const { live, garbage } = this
    assert(this.count <= blockKeysMax, 'no block is over its limit')
    this.#recount()
    assert(live === this.live && garbage === this.garbage, 'a block counts its keys')
    for (let slot = 1; slot < this.count; slot++) {
      assert(this.keyAt(slot - 1) < this.keyAt(slot), 'keys ascend')
      assert(this.lowerBound(this.keyAt(slot)) === slot, 'a key is found in its slot')
    }
  }

  /** Where a key begins among the rests. */
  #start(slot: number): number {
    return this.#slots.end(slot - 1)
  }

  /** The keys have only so much in common from now on. */
  #shorten(length: number): void {
    const moved = keyBytes(this.#prefix.slice(length))
    const { count } = this
    const keys = new Uint8Array(this.#start(count) + (count + 1) * moved.length)
    let at = 0
    for (let slot = 0; slot < count; slot++) {
      const rest = this.#keys.subarray(this.#start(slot), this.#start(slot + 1))
      keys.set(moved, at)
      keys.set(rest, at + moved.length)
      at += moved.length + rest.length
    }
    this.#keys = keys
    this.#slots.lengthen(moved.length)
    this.#prefix = this.#prefix.slice(0, length)
  }

  /** Opens a gap for the key at `slot`; returns where it begins. */
  #makeRoom(slot: number, sizeBytes: number): number {
    const start = this.#start(slot)
    const end = this.#start(this.count)
    if (end + sizeBytes > this.#keys.length) {
      this.#keys = grown(this.#keys, end + sizeBytes + (end >>> 2))
    }
    this.#keys.copyWithin(start + sizeBytes, start, end)
    return start
  }

  #remove(slot: number): void {
    assert(this.#slots.version(slot) === 0, 'a live key stays in the index')
    this.#keys.copyWithin(this.#start(slot), this.#start(slot + 1), this.#start(this.count))
    this.#slots.remove(slot)
    this.#older?.splice(slot, 1)
    this.garbage--
    this.moves++
  }

  #recount(): void {
    this.live = 0
    this.garbage = 0
    for (let slot = 0; slot < this.count; slot++) {
      if (this.#slots.version(slot) > 0) this.live++
      if (this.hasGarbage(slot)) this.garbage++
    }
  }
}

/** The parts of some slots, each cut to size. */
export interface BlockParts {
  readonly prefix: string
  readonly keys: Uint8Array
  readonly slots: SlotParts
  readonly older: (number[] | undefined)[] | undefined
}

const noKeys: Uint8Array = new Uint8Array(0)

/** Characters that both begin with. */
function sameStart(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  let same = 0
  while (same < end && a.charCodeAt(same) === b.charCodeAt(same)) same++
  return same
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}
