// Up to blockKeysMax keys of the index, sorted, packed into typed arrays: 32 bytes a key beside its own, and nothing that a garbage
// collector has to visit. Only keys with history have an array of their own.
import { assert } from '@balsa/raft/assert'
import {
  compactKey,
  KeyRecord,
  olderMainAt,
  type DropRow,
  type KeySource,
  type KeyState,
} from './key-record.ts'

export const blockKeysMax = 256
const firstCapacity = 16

/** Invariant: keys ascend; `live` and `garbage` count what their names say. */
export class IndexBlock implements KeySource {
  count = 0
  /** Keys whose newest state is not a tombstone. */
  live = 0
  /** Keys with older revisions or a tombstone: the only ones compaction has to look at. */
  garbage = 0
  moves = 0
  /** Keys one after the other. */
  #keys: Uint8Array
  /** For each slot the end of its key in #keys, and its sub-revision. */
  #places: Uint32Array
  /** For each slot main, create and version. */
  #numbers: Float64Array
  /** By slot; missing while no key has any. */
  #older: (number[] | undefined)[] | undefined

  constructor(capacity: number = firstCapacity, keysSizeBytes: number = 0) {
    this.#keys = new Uint8Array(keysSizeBytes)
    this.#places = new Uint32Array(capacity * 2)
    this.#numbers = new Float64Array(capacity * 3)
  }

  /** Takes over parts that were copied out of another block or a checkpoint; the caller has checked that they fit together. */
  static of(parts: BlockParts): IndexBlock {
    const block = new IndexBlock(0)
    block.count = parts.places.length / 2
    block.#keys = parts.keys
    block.#places = parts.places
    block.#numbers = parts.numbers
    block.#older = parts.older
    block.#recount()
    return block
  }

  /** Copies of the slots [from, to). */
  copy(from: number, to: number): BlockParts {
    const start = this.#start(from)
    const places = this.#places.slice(from * 2, to * 2)
    for (let i = 0; i < places.length; i += 2) places[i] = (places[i] ?? 0) - start
    return {
      keys: this.#keys.slice(start, this.#start(to)),
      places,
      numbers: this.#numbers.slice(from * 3, to * 3),
      older: this.#older?.slice(from, to),
    }
  }

  keyAt(slot: number): string {
    const end = this.#start(slot + 1)
    let text = ''
    for (let at = this.#start(slot); at < end; at += keyChunkSizeBytes) {
      const chunk = this.#keys.subarray(at, Math.min(end, at + keyChunkSizeBytes))
      // `apply` takes any array-like; its type asks for an array.
      text += String.fromCharCode.apply(undefined, chunk as unknown as number[])
    }
    return text
  }

  record(slot: number): KeyRecord {
    return new KeyRecord(this, slot, this.state(slot), this.#older?.[slot])
  }

  state(slot: number): KeyState {
    const at = slot * 3
    return {
      main: this.#numbers[at] ?? 0,
      sub: this.#places[slot * 2 + 1] ?? 0,
      create: this.#numbers[at + 1] ?? 0,
      version: this.#numbers[at + 2] ?? 0,
    }
  }

  isLiveAt(slot: number, revision: number): boolean {
    const at = slot * 3
    if ((this.#numbers[at] ?? 0) <= revision) return (this.#numbers[at + 2] ?? 0) > 0
    return olderMainAt(this.#older?.[slot], revision) > 0
  }

  hasGarbage(slot: number): boolean {
    return this.#older?.[slot] !== undefined || this.#numbers[slot * 3 + 2] === 0
  }

  /** The first slot whose key is not below `key`. */
  lowerBound(key: string): number {
    let low = 0
    let high = this.count
    // What the keys at both ends of the search have in common with `key`, all keys in between have too.
    let sameLow = 0
    let sameHigh = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const start = this.#start(middle)
      const length = this.#start(middle + 1) - start
      let same = Math.min(sameLow, sameHigh)
      const sameMax = Math.min(length, key.length)
      while (same < sameMax && this.#keys[start + same] === key.charCodeAt(same)) same++
      const isBelow =
        same < sameMax
          ? (this.#keys[start + same] ?? 0) < key.charCodeAt(same)
          : length < key.length
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
    if (this.#start(slot + 1) - start !== key.length) return false
    for (let i = key.length - 1; i >= 0; i--) {
      if (this.#keys[start + i] !== key.charCodeAt(i)) return false
    }
    return true
  }

  insert(slot: number, key: string, state: KeyState): void {
    assert(this.count < blockKeysMax, 'a full block is split before')
    const start = this.#makeRoom(slot, key.length)
    for (let i = 0; i < key.length; i++) this.#keys[start + i] = key.charCodeAt(i)
    this.#places[slot * 2] = start + key.length
    this.count++
    this.moves++
    if (state.version > 0) this.live++
    else this.garbage++
    this.#write(slot, state)
  }

  /** Makes a later change the newest one. */
  advance(slot: number, state: KeyState): void {
    const { main, sub, version } = this.state(slot)
    const isLater = state.main > main || (state.main === main && state.sub > sub)
    assert(isLater, 'the changes of a key come in order')
    if (!this.hasGarbage(slot)) this.garbage++
    this.live += Number(state.version > 0) - Number(version > 0)
    this.#older ??= Array.from({ length: this.count }, () => undefined)
    const older = (this.#older[slot] ??= [])
    older.push(main, version > 0 ? sub : -1 - sub)
    this.#write(slot, state)
  }

  /** See compactKey. A key of which nothing is left is taken out. */
  compact(
    slot: number,
    revision: number,
    dropsMax: number,
    drop: DropRow,
  ): { drops: number; isEmpty: boolean } {
    const newest = this.state(slot)
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

  #start(slot: number): number {
    return slot === 0 ? 0 : (this.#places[slot * 2 - 2] ?? 0)
  }

  #write(slot: number, state: KeyState): void {
    this.#places[slot * 2 + 1] = state.sub
    this.#numbers[slot * 3] = state.main
    this.#numbers[slot * 3 + 1] = state.create
    this.#numbers[slot * 3 + 2] = state.version
  }

  /** Opens a gap at `slot`; returns where its key goes. */
  #makeRoom(slot: number, keySizeBytes: number): number {
    const start = this.#start(slot)
    const end = this.#start(this.count)
    if (end + keySizeBytes > this.#keys.length) {
      this.#keys = grown(this.#keys, end + keySizeBytes + (end >>> 2))
    }
    const capacity = this.#places.length / 2
    if (this.count === capacity) {
      const larger = Math.min(Math.max(capacity * 2, firstCapacity), blockKeysMax)
      const places = new Uint32Array(larger * 2)
      places.set(this.#places)
      this.#places = places
      const numbers = new Float64Array(larger * 3)
      numbers.set(this.#numbers)
      this.#numbers = numbers
    }
    if (slot < this.count) {
      this.#keys.copyWithin(start + keySizeBytes, start, end)
      this.#places.copyWithin(slot * 2 + 2, slot * 2, this.count * 2)
      this.#numbers.copyWithin(slot * 3 + 3, slot * 3, this.count * 3)
      this.#shiftEnds(slot + 1, this.count + 1, keySizeBytes)
    }
    this.#older?.splice(slot, 0, undefined)
    return start
  }

  #remove(slot: number): void {
    assert(this.#numbers[slot * 3 + 2] === 0, 'a live key stays in the index')
    const start = this.#start(slot)
    const sizeBytes = this.#start(slot + 1) - start
    this.#keys.copyWithin(start, start + sizeBytes, this.#start(this.count))
    this.#places.copyWithin(slot * 2, slot * 2 + 2, this.count * 2)
    this.#numbers.copyWithin(slot * 3, slot * 3 + 3, this.count * 3)
    this.#older?.splice(slot, 1)
    this.count--
    this.garbage--
    this.moves++
    this.#shiftEnds(slot, this.count, -sizeBytes)
  }

  #shiftEnds(from: number, to: number, by: number): void {
    for (let i = from * 2; i < to * 2; i += 2) this.#places[i] = (this.#places[i] ?? 0) + by
  }

  #recount(): void {
    this.live = 0
    this.garbage = 0
    for (let slot = 0; slot < this.count; slot++) {
      if ((this.#numbers[slot * 3 + 2] ?? 0) > 0) this.live++
      if (this.hasGarbage(slot)) this.garbage++
    }
  }
}

/** The arrays of some slots, each cut to size. */
export interface BlockParts {
  readonly keys: Uint8Array
  readonly places: Uint32Array
  readonly numbers: Float64Array
  readonly older: (number[] | undefined)[] | undefined
}

/** Bytes turned to text at a time; a longer argument list would overflow the stack. */
const keyChunkSizeBytes = 4096

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}
