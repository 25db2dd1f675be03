// Writes protobuf's wire format. Messages are laid one after the other into slabs, so that a small message costs no allocation of
// its own; finish() hands out a view that nothing writes to again. Zero values are left out, as proto3 does.
import { encodeUtf8 } from './utf8.ts'

const slabSizeBytes = 16_384
/** Stands in after a message larger than a slab: later small ones must not pin its memory. */
const noSlab: Uint8Array = new Uint8Array(0)
const two32 = 4_294_967_296
const low32 = 0xffff_ffffn

export class WireWriter {
  #slab: Uint8Array = new Uint8Array(slabSizeBytes)
  #start = 0
  #pos = 0

  /** Starts a message; one that was begun and not finished is dropped. `sizeBytes` is a hint. */
  begin(sizeBytes = 64): this {
    this.#pos = this.#start
    this.#ensure(sizeBytes)
    return this
  }

  /** The message's bytes. */
  finish(): Uint8Array {
    const message = this.#slab.subarray(this.#start, this.#pos)
    this.#start = this.#pos
    if (this.#slab.length > slabSizeBytes) {
      this.#slab = noSlab
      this.#start = 0
      this.#pos = 0
    }
    return message
  }

  /** A number of any sign; beyond 2^63 it is the largest int64. */
  int64(field: number, value: number): void {
    if (value === 0) return
    this.#ensure(20)
    this.#varint(field << 3)
    this.#number(value)
  }

  /** Like int64(), also when zero: elements of packed lists and members of a oneof. */
  int64Always(field: number, value: number): void {
    this.#ensure(20)
    this.#varint(field << 3)
    this.#number(value)
  }

  bigInt64(field: number, value: bigint): void {
    if (value !== 0n) this.bigInt64Always(field, value)
  }

  bigInt64Always(field: number, value: bigint): void {
    this.#ensure(20)
    this.#varint(field << 3)
    const bits = BigInt.asUintN(64, value)
    this.#varint64(Number(bits & low32), Number(bits >> 32n))
  }

  bool(field: number, value: boolean): void {
    if (!value) return
    this.#ensure(7)
    this.#varint(field << 3)
    this.#slab[this.#pos++] = 1
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.encoded(field, value)
  }

  string(field: number, value: string): void {
    if (value !== '') this.encoded(field, encodeUtf8(value))
  }

  /** A length-delimited field from ready bytes, also when empty: sub-messages, list elements, members of a oneof. */
  encoded(field: number, value: Uint8Array): void {
    this.#ensure(value.length + 10)
    this.#varint((field << 3) | 2)
    this.#varint(value.length)
    this.#slab.set(value, this.#pos)
    this.#pos += value.length
  }

  /** Bytes that are whole fields already. */
  raw(value: Uint8Array): void {
    this.#ensure(value.length)
    this.#slab.set(value, this.#pos)
    this.#pos += value.length
  }

  /** Opens a sub-message; pass what it returns to close(). */
  open(field: number): number {
    this.#ensure(6)
    this.#varint((field << 3) | 2)
    this.#pos++
    return this.#pos - this.#start
  }

  close(mark: number): void {
    const size = this.#pos - this.#start - mark
    const lengthSize = varintSize(size)
    if (lengthSize > 1) {
      this.#ensure(lengthSize)
      const at = this.#start + mark
      this.#slab.copyWithin(at + lengthSize - 1, at, this.#pos)
    }
    const end = this.#pos + lengthSize - 1
    this.#pos = this.#start + mark - 1
    this.#varint(size)
    this.#pos = end
  }

  /** A bare varint: an element of a packed list. */
  packed(value: number): void {
    this.#ensure(10)
    this.#number(value)
  }

  #ensure(count: number): void {
    if (this.#pos + count > this.#slab.length) this.#grow(count)
  }

  #grow(count: number): void {
    const written = this.#pos - this.#start
    const size = written === 0 ? count : (written + count) * 2
    const slab = new Uint8Array(Math.max(slabSizeBytes, size))
    slab.set(this.#slab.subarray(this.#start, this.#pos))
    this.#slab = slab
    this.#start = 0
    this.#pos = written
  }

  #number(value: number): void {
    if (value >= 0 && value < two32) {
      this.#varint(value)
    } else if (value >= 2 ** 63) {
      this.#varint64(0xffff_ffff, 0x7fff_ffff)
    } else {
      const high = Math.floor(value / two32)
      this.#varint64(value - high * two32, high >>> 0)
    }
  }

  #varint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#slab[this.#pos++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#slab[this.#pos++] = rest
  }

  #varint64(lowBits: number, highBits: number): void {
    let low = lowBits >>> 0
    let high = highBits
    while (high > 0) {
      this.#slab[this.#pos++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.#varint(low)
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) size++
  return size
}
