// Reads the wire format of protobuf from hostile bytes: every length is checked, and what does not fit throws RangeError.

export class ProtobufReader {
  /** The number of the field that next() came to. */
  field = 0
  readonly #bytes: Buffer
  #offset = 0
  #wireType = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Goes to the next field; false at the end. Each field must then be read or skipped. */
  next(): boolean {
    if (this.#offset >= this.#bytes.length) return false
    const tag = Number(this.#varint())
    this.field = Math.floor(tag / 8)
    this.#wireType = tag % 8
    if (this.field === 0 || tag > 0xffff_ffff) throw new RangeError('illegal tag')
    return true
  }

  /** An integer of at most 64 bits, as a number; larger than 2^53 it loses precision. */
  integer(): number {
    this.#expect(0)
    return Number(BigInt.asIntN(64, this.#varint()))
  }

  bytes(): Buffer {
    this.#expect(2)
    const length = Number(this.#varint())
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new RangeError('unexpected EOF')
    const bytes = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  double(): number {
    this.#expect(1)
    const at = this.#offset
    this.#advance(8)
    return this.#bytes.readDoubleLE(at)
  }

  text(): string {
    return this.bytes().toString('utf8')
  }

  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.#varint()
        break
      case 1:
        this.#advance(8)
        break
      case 2:
        this.bytes()
        break
      case 5:
        this.#advance(4)
        break
      default:
        throw new RangeError(`illegal wireType ${this.#wireType}`)
    }
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new RangeError(`wrong wireType = ${this.#wireType} for field ${this.field}`)
    }
  }

  #advance(count: number): void {
    this.#offset += count
    if (this.#offset > this.#bytes.length) throw new RangeError('unexpected EOF')
  }

  #varint(): bigint {
    let small = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      small |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(small)
    }
    let value = BigInt(small)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new RangeError('integer overflow')
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw new RangeError('unexpected EOF')
    return byte
  }
}
