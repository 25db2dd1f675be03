// What a block of the index knows of its keys, as one row of bytes each: where the key ends, its newest change, how long it has lived.
// Every number takes as many bytes as the largest of its kind in the block needs (none, 1, 2, 4 or 8), so that a key that was put once
// takes 4 bytes beside its own; a row is widened, with the whole block, when a number comes that does not fit.
import { assert } from '@balsa/raft/assert'
import type { KeyState } from './key-record.ts'

/** Bytes that each number of a row takes, in this order; age is main - create. */
export interface Widths {
  readonly end: number
  readonly main: number
  readonly age: number
  readonly version: number
  readonly sub: number
}

/** Copies of some rows. */
export interface SlotParts {
  readonly count: number
  readonly widths: Widths
  /** What is added to each stored main. */
  readonly mainBase: number
  readonly rows: Uint8Array
}

/** Most blocks need no more than this. */
const firstWidths: Widths = { end: 2, main: 2, age: 0, version: 0, sub: 0 }
const firstCapacity = 16

/** Invariant: `count` rows are in use, and every number of theirs fits its width. */
export class PackedSlots {
  #count = 0
  #widths: Widths
  #stride: number
  #mainBase: number
  #rows: Uint8Array

  constructor(parts: SlotParts = { count: 0, widths: firstWidths, mainBase: 0, rows: noRows }) {
    this.#count = parts.count
    this.#widths = parts.widths
    this.#stride = strideOf(parts.widths)
    this.#mainBase = parts.mainBase
    this.#rows = parts.rows
  }

  get count(): number {
    return this.#count
  }

  /** Where the key of a slot ends; 0 for the slot before the first. */
  end(slot: number): number {
    return slot < 0 ? 0 : readNumber(this.#rows, slot * this.#stride, this.#widths.end)
  }

  version(slot: number): number {
    const { end, main, age, version } = this.#widths
    return swapped(readNumber(this.#rows, slot * this.#stride + end + main + age, version))
  }

  main(slot: number): number {
    const { end, main } = this.#widths
    return this.#mainBase + readNumber(this.#rows, slot * this.#stride + end, main)
  }

  state(slot: number): KeyState {
    const rows = this.#rows
    const widths = this.#widths
    let at = slot * this.#stride + widths.end
    const main = this.#mainBase + readNumber(rows, at, widths.main)
    at += widths.main
    const age = readNumber(rows, at, widths.age)
    at += widths.age
    const version = swapped(readNumber(rows, at, widths.version))
    const sub = readNumber(rows, at + widths.version, widths.sub)
    return { main, sub, create: version === 0 ? 0 : main - age, version }
  }

  write(slot: number, state: KeyState): void {
    this.#fit(this.end(slot), state)
    this.#write(slot, this.end(slot), state)
  }

  /** Makes a row for a key of so many bytes; those after it end so much later. */
  insert(slot: number, state: KeyState, keySizeBytes: number): void {
    if (this.#count === 0) this.#mainBase = state.main
    this.#fit(this.end(this.#count - 1) + keySizeBytes, state)
    const stride = this.#stride
    const usedSizeBytes = this.#count * stride
    if (usedSizeBytes + stride > this.#rows.length) {
      const capacity = Math.max(firstCapacity, this.#count + (this.#count >>> 2) + 1)
      const larger = new Uint8Array(capacity * stride)
      larger.set(this.#rows.subarray(0, usedSizeBytes))
      this.#rows = larger
    }
    this.#rows.copyWithin((slot + 1) * stride, slot * stride, usedSizeBytes)
    this.#count++
    this.#shiftEnds(slot + 1, keySizeBytes)
    this.#write(slot, this.end(slot - 1) + keySizeBytes, state)
  }

  remove(slot: number): void {
    const stride = this.#stride
    const sizeBytes = this.end(slot) - this.end(slot - 1)
    this.#rows.copyWithin(slot * stride, (slot + 1) * stride, this.#count * stride)
    this.#count--
    this.#shiftEnds(slot, -sizeBytes)
  }

  /** Every key gets so many bytes longer. */
  lengthen(bySizeBytes: number): void {
    if (this.#count === 0) return
    const last = this.#count - 1
    this.#fit(this.end(last) + this.#count * bySizeBytes, this.state(last))
    const width = this.#widths.end
    for (let slot = last; slot >= 0; slot--) {
      const at = slot * this.#stride
      writeNumber(this.#rows, at, width, this.end(slot) + (slot + 1) * bySizeBytes)
    }
  }

  /** Copies of the slots [from, to); the first key begins at 0. */
  copy(from: number, to: number): SlotParts {
    const rows = this.#rows.slice(from * this.#stride, to * this.#stride)
    const copied = new PackedSlots({ ...this.#parts(), count: to - from, rows })
    copied.#shiftEnds(0, -this.end(from - 1))
    return copied.#parts()
  }

  /** Gives back what it does not use. */
  trim(): void {
    const usedSizeBytes = this.#count * this.#stride
    if (this.#rows.length > usedSizeBytes) this.#rows = this.#rows.slice(0, usedSizeBytes)
  }

  #parts(): SlotParts {
    const widths = this.#widths
    return { count: this.#count, widths, mainBase: this.#mainBase, rows: this.#rows }
  }

  #write(slot: number, end: number, state: KeyState): void {
    assert(state.version > 0 || state.create === 0, 'a tombstone has no creation')
    const rows = this.#rows
    const widths = this.#widths
    let at = slot * this.#stride
    writeNumber(rows, at, widths.end, end)
    at += widths.end
    writeNumber(rows, at, widths.main, state.main - this.#mainBase)
    at += widths.main
    writeNumber(rows, at, widths.age, ageOf(state))
    at += widths.age
    writeNumber(rows, at, widths.version, swapped(state.version))
    writeNumber(rows, at + widths.version, widths.sub, state.sub)
  }

  #shiftEnds(from: number, by: number): void {
    const width = this.#widths.end
    const until = this.#count * this.#stride
    for (let at = from * this.#stride; at < until; at += this.#stride) {
      writeNumber(this.#rows, at, width, readNumber(this.#rows, at, width) + by)
    }
  }

  /** Widens the rows where such an end or state does not fit. */
  #fit(end: number, state: KeyState): void {
    const widths = this.#widths
    const main = state.main - this.#mainBase
    const isFitting =
      end < limitOf(widths.end) &&
      main >= 0 &&
      main < limitOf(widths.main) &&
      ageOf(state) < limitOf(widths.age) &&
      swapped(state.version) < limitOf(widths.version) &&
      state.sub < limitOf(widths.sub)
    if (!isFitting) this.#widen(end, state)
  }

  #widen(end: number, state: KeyState): void {
    let mainMin = state.main
    let mainMax = state.main
    for (let slot = 0; slot < this.#count; slot++) {
      const main = this.main(slot)
      mainMin = Math.min(mainMin, main)
      mainMax = Math.max(mainMax, main)
    }
    const before = this.#widths
    const widths = sharedWidths({
      end: Math.max(before.end, widthFor(end)),
      main: Math.max(before.main, widthFor(mainMax - mainMin)),
      age: Math.max(before.age, widthFor(ageOf(state))),
      version: Math.max(before.version, widthFor(swapped(state.version))),
      sub: Math.max(before.sub, widthFor(state.sub)),
    })
    const capacity = this.#count + (this.#count >>> 2) + 1
    const rows = new Uint8Array(capacity * strideOf(widths))
    const wide = new PackedSlots({ count: this.#count, widths, mainBase: mainMin, rows })
    for (let slot = 0; slot < this.#count; slot++) {
      wide.#write(slot, this.end(slot), this.state(slot))
    }
    this.#widths = widths
    this.#stride = wide.#stride
    this.#mainBase = mainMin
    this.#rows = rows
  }
}

const noRows: Uint8Array = new Uint8Array(0)

/** One object for each combination there is: blocks share it. */
const knownWidths = new Map<string, Widths>()

function sharedWidths(widths: Widths): Widths {
  const { end, main, age, version, sub } = widths
  const name = `${end} ${main} ${age} ${version} ${sub}`
  const known = knownWidths.get(name) ?? widths
  if (known === widths) knownWidths.set(name, widths)
  return known
}

/** Bytes of a row. */
export function strideOf({ end, main, age, version, sub }: Widths): number {
  return end + main + age + version + sub
}

/** The widths as they are stored; undefined if there are none such. */
export function widthsOf(bytes: Uint8Array): Widths | undefined {
  const [end = 0, main = 0, age = 0, version = 0, sub = 0] = bytes
  const isKnown = bytes.length === 5 && bytes.every(isWidth)
  return isKnown ? sharedWidths({ end, main, age, version, sub }) : undefined
}

/** True if each key of rows that were stored ends where the next may begin, and the last one at the end of all keys. */
export function areEndsInOrder(parts: SlotParts, keysSizeBytes: number): boolean {
  const slots = new PackedSlots(parts)
  for (let slot = 0; slot < slots.count; slot++) {
    if (slots.end(slot) < slots.end(slot - 1)) return false
  }
  return slots.end(slots.count - 1) === keysSizeBytes
}

function isWidth(width: number): boolean {
  return width === 0 || width === 1 || width === 2 || width === 4 || width === 8
}

/** Nearly all keys were put once: that is the version that takes no bytes. Its own inverse. */
function swapped(version: number): number {
  return version > 1 ? version : 1 - version
}

function ageOf({ main, create, version }: KeyState): number {
  return version === 0 ? 0 : main - create
}

function widthFor(value: number): number {
  if (value < 2 ** 8) return value === 0 ? 0 : 1
  if (value < 2 ** 16) return 2
  return value < 2 ** 32 ? 4 : 8
}

function limitOf(width: number): number {
  return width === 8 ? Infinity : 2 ** (width * 8)
}

/** Little-endian; safe integers only. */
function readNumber(bytes: Uint8Array, at: number, width: number): number {
  if (width === 2) return (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 2 ** 8
  if (width === 0) return 0
  if (width === 1) return bytes[at] ?? 0
  const low =
    (bytes[at] ?? 0) +
    (bytes[at + 1] ?? 0) * 2 ** 8 +
    (bytes[at + 2] ?? 0) * 2 ** 16 +
    (bytes[at + 3] ?? 0) * 2 ** 24
  return width === 4 ? low : low + readNumber(bytes, at + 4, 4) * 2 ** 32
}

function writeNumber(bytes: Uint8Array, at: number, width: number, value: number): void {
  if (width === 0) return
  bytes[at] = value
  if (width === 1) return
  bytes[at + 1] = value >>> 8
  if (width === 2) return
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
  if (width === 8) writeNumber(bytes, at + 4, 4, Math.floor(value / 2 ** 32))
}
