// Rows read or written lately, bounded in bytes. Two generations: what is touched moves to the young one, and when that is full
// the old one is dropped whole, which keeps about the most recently used half without a list to maintain.

/** What a cached row costs beside its bytes: the map's slot, the key's and the array's headers. */
const entryOverheadBytes = 250

export class ValueCache {
  readonly #generationSizeBytesMax: number
  #young = new Map<string, Uint8Array>()
  #old = new Map<string, Uint8Array>()
  #youngSizeBytes = 0

  constructor(sizeBytesMax: number) {
    this.#generationSizeBytesMax = sizeBytesMax / 2
  }

  get(key: string): Uint8Array | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: Uint8Array): void {
    this.#young.set(key, value)
    this.#youngSizeBytes += key.length + value.length + entryOverheadBytes
    if (this.#youngSizeBytes < this.#generationSizeBytesMax) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngSizeBytes = 0
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#youngSizeBytes = 0
  }
}
