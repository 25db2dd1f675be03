// Reads protobuf's wire format from hostile bytes: every length and varint is checked against the end before it is used. Byte fields
// are views of the input, not copies.
import { malformed } from './malformed.ts'
import { decodeUtf8 } from './utf8.ts'

export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

const two32 = 4_294_967_296
const fieldNumberMax = 536_870_911

/** One pass over `bytes[start, end)`. Usage: `while (!reader.done()) switch (reader.tag()) ...`; skip() what is unknown. */
export class WireReader {
  readonly #bytes: Uint8Array
  #pos: number
  readonly #end: number
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes
    this.#pos = start
    this.#end = end
  }

  done(): boolean {
    return this.#pos >= this.#end
  }

  /** Offset of the next byte in the input. */
  get offset(): number {
    return this.#pos
  }

  /** The next field's number and wire type as `number << 3 | type`. */
  tag(): number {
    const byte = this.#bytes[this.#pos] ?? 0
    if (byte < 0x80 && byte >= 8 && this.#pos < this.#end) {
      this.#pos++
      return byte
    }
    this.#varint()
    const field = this.#low >>> 3
    if (this.#high !== 0 || field === 0 || field > fieldNumberMax) throw malformed('field number')
    return this.#low
  }

  /** int64 as a number: exact to 2^53, the nearest number beyond. */
  int64(): number {
    const byte = this.#bytes[this.#pos] ?? 0
    if (byte < 0x80 && this.#pos < this.#end) {
      this.#pos++
      return byte
    }
    this.#varint()
    return (this.#high | 0) * two32 + this.#low
  }

  uint64(): number {
    this.#varint()
    return this.#high * two32 + this.#low
  }

  /** int32 and enums: the low 32 bits, signed. */
  int32(): number {
    this.#varint()
    return this.#low | 0
  }

  uint32(): number {
    this.#varint()
    return this.#low
  }

  bool(): boolean {
    this.#varint()
    return this.#low !== 0 || this.#high !== 0
  }

  bigUint64(): bigint {
    this.#varint()
    if (this.#high === 0) return BigInt(this.#low)
    return (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  bigInt64(): bigint {
    return BigInt.asIntN(64, this.bigUint64())
  }

  /** A view of a length-delimited field. */
  bytes(): Uint8Array {
    const size = this.#length()
    const start = this.#pos
    this.#pos = start + size
    return this.#bytes.subarray(start, this.#pos)
  }

  /** A reader over a length-delimited field. */
  message(): WireReader {
    const size = this.#length()
    const start = this.#pos
    this.#pos = start + size
    return new WireReader(this.#bytes, start, this.#pos)
  }

  string(): string {
    return decodeUtf8(this.bytes())
  }

  /** Passes over the value of an unknown field. Groups are refused: proto3 has none. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wireType.varint:
        this.#varint()
        return
      case wireType.fixed64:
        this.#advance(8)
        return
      case wireType.bytes:
        this.#advance(this.#length())
        return
      case wireType.fixed32:
        this.#advance(4)
        return
      default:
        throw malformed('wire type')
    }
  }

  /** Skips an unknown field; throws if `known` fields came with another wire type than theirs. */
  unknown(tag: number, known: number): void {
    const field = tag >>> 3
    if (field <= known) throw malformed('wire type of a known field')
    this.skip(tag)
  }

  #length(): number {
    const byte = this.#bytes[this.#pos] ?? 0
    if (byte < 0x80 && this.#pos < this.#end) {
      this.#pos++
    } else {
      this.#varint()
      if (this.#high !== 0) throw malformed('length')
    }
    const size = byte < 0x80 ? byte : this.#low
    if (size > this.#end - this.#pos) throw malformed('truncated field')
    return size
  }

  #advance(count: number): void {
    if (count > this.#end - this.#pos) throw malformed('truncated field')
    this.#pos += count
  }

  #varint(): void {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (this.#pos >= this.#end) throw malformed('truncated varint')
      const byte = this.#bytes[this.#pos++] ?? 0
      const bits = byte & 0x7f
      if (i < 4) low |= bits << (7 * i)
      else if (i === 4) {
        low |= bits << 28
        high = bits >> 4
      } else high |= bits << (7 * i - 32)
      if (byte < 0x80) {
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
    throw malformed('varint longer than 10 bytes')
  }
}
