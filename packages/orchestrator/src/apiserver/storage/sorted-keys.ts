// An ordered set of keys with binary search: what lists by prefix walk. Objects are written far more often than lists are read, so changes
// wait unordered until somebody looks, and are then merged in one walk.

export class SortedKeys {
  #keys: string[] = []
  /** Not in #keys yet. */
  readonly #added = new Set<string>()
  /** Still in #keys. */
  readonly #deleted = new Set<string>()

  get size(): number {
    return this.#keys.length + this.#added.size - this.#deleted.size
  }

  /** Replaces all; `keys` must be ascending. */
  reset(keys: string[]): void {
    this.#keys = keys
    this.#added.clear()
    this.#deleted.clear()
  }

  /** A key that is not there. */
  add(key: string): void {
    if (!this.#deleted.delete(key)) this.#added.add(key)
  }

  /** A key that is there. */
  delete(key: string): void {
    if (!this.#added.delete(key)) this.#deleted.add(key)
  }

  /** The index of the first key that is not below `key`. */
  position(key: string): number {
    this.#merge()
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }

  at(index: number): string | undefined {
    this.#merge()
    return this.#keys[index]
  }

  #merge(): void {
    if (this.#added.size === 0 && this.#deleted.size === 0) return
    const added = [...this.#added].toSorted()
    const merged: string[] = []
    let next = 0
    for (const key of this.#keys) {
      for (let one = added[next]; one !== undefined && one < key; one = added[++next]) {
        merged.push(one)
      }
      if (!this.#deleted.has(key)) merged.push(key)
    }
    while (next < added.length) merged.push(added[next++] ?? '')
    this.reset(merged)
  }
}
