// An ordered set of keys with binary search: what lists by prefix walk.

export class SortedKeys {
  #keys: string[] = []

  get size(): number {
    return this.#keys.length
  }

  /** Replaces all; `keys` must be ascending. */
  reset(keys: string[]): void {
    this.#keys = keys
  }

  add(key: string): void {
    const position = this.position(key)
    if (this.#keys[position] !== key) this.#keys.splice(position, 0, key)
  }

  delete(key: string): void {
    const position = this.position(key)
    if (this.#keys[position] === key) this.#keys.splice(position, 1)
  }

  /** The index of the first key that is not below `key`. */
  position(key: string): number {
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
    return this.#keys[index]
  }
}
