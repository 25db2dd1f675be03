// Writes on their way to the storage: what is staged, and the batch that is being written. Readers look here first.

/** A row that is deleted, as distinct from one the overlay does not know. */
export const deletedRow: Uint8Array = new Uint8Array(0)
const rowOverheadBytes = 64

export type Batch = ReadonlyMap<string, Uint8Array>

export class Overlay {
  #staged = new Map<string, Uint8Array>()
  #writing: Batch | undefined
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** `deletedRow`: the row is gone; undefined: ask the storage. */
  get(key: string): Uint8Array | undefined {
    return this.#staged.get(key) ?? this.#writing?.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.#staged.set(key, value)
    this.#sizeBytes += key.length + value.length + rowOverheadBytes
  }

  delete(key: string): void {
    this.#staged.set(key, deletedRow)
    this.#sizeBytes += key.length + rowOverheadBytes
  }

  /** Takes what is staged as the batch to write; it stays readable until written() is called. */
  beginWriting(): Batch {
    const batch = this.#staged
    this.#writing = batch
    this.#staged = new Map()
    this.#sizeBytes = 0
    return batch
  }

  written(): void {
    this.#writing = undefined
  }

  clear(): void {
    this.#staged = new Map()
    this.#writing = undefined
    this.#sizeBytes = 0
  }

  /** A copy of everything, newest write of each row, in key order. */
  pin(): readonly (readonly [key: string, value: Uint8Array])[] {
    const all = new Map([...(this.#writing ?? []), ...this.#staged])
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
