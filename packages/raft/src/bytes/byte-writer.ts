// Writes the fields of our own formats (WAL, snapshot files, peer messages) into one buffer of a size that is known beforehand.
// Little-endian. Integers of 64 bits hold safe integers only.
import { assert } from '../core/assert.ts'

const two32 = 2 ** 32

export class ByteWriter {
  readonly buffer: Buffer
  #position = 0

  /**
   * The bytes are not cleared: whoever writes must fill them all. What is kept for long wants memory of its own
   * (`Buffer.allocUnsafeSlow`), or it keeps its neighbours in Node's pool as well.
   */
  constructor(sizeBytes: number, allocate: (size: number) => Buffer = Buffer.allocUnsafe) {
    this.buffer = allocate(sizeBytes)
  }

  get position(): number {
    return this.#position
  }

  u8(value: number): void {
    this.buffer[this.#position++] = value
  }

  u16(value: number): void {
    this.#position = this.buffer.writeUInt16LE(value, this.#position)
  }

  u32(value: number): void {
    this.#position = this.buffer.writeUInt32LE(value, this.#position)
  }

  u64(value: number): void {
    assert(value >= 0 && Number.isSafeInteger(value), 'a 64-bit field holds a safe integer')
    this.u32(value % two32)
    this.u32(Math.floor(value / two32))
  }

  bytes(value: Uint8Array): void {
    assert(this.#position + value.length <= this.buffer.length, 'the size was computed beforehand')
    this.buffer.set(value, this.#position)
    this.#position += value.length
  }

  /** Size u8, then the bytes; for ids, which are ASCII of at most 64 bytes. */
  id(value: string): void {
    assert(value.length <= 255, 'an id is short')
    this.u8(value.length)
    this.#position += this.buffer.write(value, this.#position, 'latin1')
  }

  zeros(count: number): void {
    this.buffer.fill(0, this.#position, this.#position + count)
    this.#position += count
  }

  /** The buffer, which must be full. */
  finish(): Buffer {
    assert(this.#position === this.buffer.length, 'the size was computed beforehand')
    return this.buffer
  }
}
