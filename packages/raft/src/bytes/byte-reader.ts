// Reads the fields that ByteWriter writes, from bytes that may be hostile: every read is checked against the end, every count
// against what the rest could hold.

/** The bytes are not what the format says. The caller turns it into an error of its own. */
export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError'
}

const two32 = 2 ** 32

export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  #take(count: number): number {
    const start = this.#position
    if (count > this.#bytes.length - start) throw new MalformedBytesError('bytes end too early')
    this.#position = start + count
    return start
  }

  u8(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  u16(): number {
    const at = this.#take(2)
    return this.#byte(at) + this.#byte(at + 1) * 256
  }

  u32(): number {
    const at = this.#take(4)
    return (
      this.#byte(at) +
      this.#byte(at + 1) * 0x100 +
      this.#byte(at + 2) * 0x1_0000 +
      this.#byte(at + 3) * 0x100_0000
    )
  }

  #byte(at: number): number {
    return this.#bytes[at] ?? 0
  }

  u64(): number {
    const low = this.u32()
    const value = this.u32() * two32 + low
    if (!Number.isSafeInteger(value)) throw new MalformedBytesError('an integer is out of range')
    return value
  }

  /** 0 or 1. */
  flag(): boolean {
    const value = this.u8()
    if (value > 1) throw new MalformedBytesError('a flag is neither 0 nor 1')
    return value === 1
  }

  /** A count u32 of items of at least `sizeBytesMin` each, so that a wrong one cannot ask for much memory. */
  count(sizeBytesMin: number): number {
    const count = this.u32()
    if (count * sizeBytesMin > this.remaining) throw new MalformedBytesError('a count is too large')
    return count
  }

  /** A view, not a copy. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count)
    return this.#bytes.subarray(start, start + count)
  }

  /** Size u8, then printable ASCII of at most 64 bytes. */
  id(): string {
    const bytes = this.bytes(this.u8())
    if (bytes.length > 64) throw new MalformedBytesError('an id is too long')
    for (const byte of bytes) {
      if (byte < 0x21 || byte > 0x7e) throw new MalformedBytesError('an id is not printable')
    }
    return String.fromCharCode(...bytes)
  }

  end(): void {
    if (this.remaining !== 0) throw new MalformedBytesError('bytes go on after the end')
  }
}
