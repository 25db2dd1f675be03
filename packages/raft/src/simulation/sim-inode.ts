// The bytes of one simulated file: as a reader sees them, and as they would be after a power failure.
import type { SeededRandom } from './random.ts'

const sectorSizeBytes = 512

interface PendingWrite {
  readonly position: number
  readonly bytes: Uint8Array
}

interface PendingTruncate {
  readonly size: number
}

type Pending = PendingWrite | PendingTruncate

/** A byte array that grows by doubling; what lies past its size reads as zero after growing again. */
class Content {
  #bytes = new Uint8Array(0)
  size = 0

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  write(position: number, bytes: Uint8Array): void {
    this.resize(Math.max(this.size, position + bytes.length))
    this.#bytes.set(bytes, position)
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    if (size < this.size) this.#bytes.fill(0, size, this.size)
    this.size = size
  }
}

export class SimInode {
  #current = new Content()
  readonly #durable = new Content()
  readonly #pending: Pending[] = []
  #syncedCount = 0

  get size(): number {
    return this.#current.size
  }

  /** Without the zeros at the end. */
  get usedSize(): number {
    const { bytes } = this.#current
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    return end
  }

  read(position: number, length: number): Uint8Array {
    return this.#current.bytes.slice(position, position + length)
  }

  /** `bytes` are kept: the caller hands over a copy. */
  write(position: number, bytes: Uint8Array): void {
    this.#current.write(position, bytes)
    this.#pending.push({ position, bytes })
  }

  truncate(size: number): void {
    this.#current.resize(size)
    this.#pending.push({ size })
  }

  /** Counts every change ever made: a sync that starts now covers those so far and no later ones. */
  get changeCount(): number {
    return this.#syncedCount + this.#pending.length
  }

  /** Makes the changes up to `changeCount` last. */
  sync(changeCount: number = this.changeCount): void {
    for (const change of this.#takePending(changeCount)) this.#apply(change)
  }

  /** A failed sync: the changes can still be read, and will never reach the medium (as page caches do it). */
  failSync(changeCount: number): void {
    this.#takePending(changeCount)
  }

  #takePending(changeCount: number): readonly Pending[] {
    const taken = this.#pending.splice(0, Math.max(0, changeCount - this.#syncedCount))
    this.#syncedCount += taken.length
    return taken
  }

  #apply(change: Pending): void {
    if ('size' in change) this.#durable.resize(change.size)
    else this.#durable.write(change.position, change.bytes)
  }

  /** Each unsynced change is lost, kept, or (a write) kept in some of its sectors. */
  crash(random: SeededRandom): void {
    for (const change of this.#takePending(this.changeCount)) {
      const fate = random.next()
      if (fate < 0.4) continue
      if (fate < 0.7 || 'size' in change) this.#apply(change)
      else this.#applySectors(change, random)
    }
    this.#current = new Content()
    this.#current.write(0, this.#durable.bytes)
  }

  #applySectors(change: PendingWrite, random: SeededRandom): void {
    const end = change.position + change.bytes.length
    for (let from = change.position; from < end;) {
      const to = Math.min(end, from - (from % sectorSizeBytes) + sectorSizeBytes)
      if (random.chance(0.5)) {
        const part = change.bytes.subarray(from - change.position, to - change.position)
        this.#durable.write(from, part)
      }
      from = to
    }
  }

  /** Flips one bit for good, as a failing medium does. */
  flipBit(position: number, bit: number): void {
    for (const content of [this.#current, this.#durable]) {
      const byte = content.bytes[position]
      if (byte !== undefined) content.write(position, Uint8Array.of(byte ^ (1 << bit)))
    }
  }
}
