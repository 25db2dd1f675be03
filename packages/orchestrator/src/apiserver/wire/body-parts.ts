// A body that comes in parts. Small ones are copied together: each of them would keep alive the whole of what the socket gave with it, which a
// client can make a hundred times as large.

const copiedBelow = 4096
const blockBytesMin = 512
const blockBytesMax = 64 * 1024
const noBytes = Buffer.alloc(0)

export class BodyParts {
  #parts: Buffer[] = []
  /** Where small parts go; the last of the parts is what is filled of it. */
  #block = noBytes
  #filled = 0
  #nextBytes = blockBytesMin
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Returns how many bytes more are held for it. `isLast`: nothing comes after it. */
  add(part: Buffer, isLast = false): number {
    this.#size += part.length
    // One that is the whole is not held for long.
    if (part.length >= copiedBelow || (isLast && part.length === this.#size)) {
      this.#closeBlock()
      this.#parts.push(part)
      return part.length
    }
    let held = 0
    if (this.#block.length - this.#filled < part.length) {
      this.#closeBlock()
      held = Math.max(this.#nextBytes, part.length)
      this.#nextBytes = Math.min(held * 2, blockBytesMax)
      this.#block = Buffer.allocUnsafeSlow(held)
    }
    this.#filled += part.copy(this.#block, this.#filled)
    return held
  }

  /** The whole, once. */
  take(): Buffer {
    this.#closeBlock()
    const parts = this.#parts
    this.drop()
    const [only = noBytes] = parts
    return parts.length > 1 ? Buffer.concat(parts) : only
  }

  drop(): void {
    this.#parts = []
    this.#block = noBytes
    this.#filled = 0
  }

  #closeBlock(): void {
    if (this.#filled > 0) this.#parts.push(this.#block.subarray(0, this.#filled))
    this.#block = noBytes
    this.#filled = 0
  }
}
