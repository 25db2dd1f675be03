// A binary heap of (time, lease): which lease to look at next.

interface Item {
  readonly timeMs: number
  readonly id: bigint
}

export class ExpiryHeap {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  push(timeMs: number, id: bigint): void {
    const items = this.#items
    const item = { timeMs, id }
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = items[parentAt]
      if (parent === undefined || parent.timeMs <= timeMs) break
      items[at] = parent
      at = parentAt
    }
    items[at] = item
  }

  /** Takes the earliest item out if it is due at `nowMs`. */
  popDue(nowMs: number): bigint | undefined {
    const items = this.#items
    const first = items[0]
    if (first === undefined || first.timeMs > nowMs) return undefined
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return first.id
  }

  clear(): void {
    this.#items.length = 0
  }

  /** Puts an item at the top and moves it down to its place. */
  #sink(item: Item): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let childAt = at * 2 + 1
      const left = items[childAt]
      if (left === undefined) break
      const right = items[childAt + 1]
      let child = left
      if (right !== undefined && right.timeMs < left.timeMs) {
        child = right
        childAt++
      }
      if (child.timeMs >= item.timeMs) break
      items[at] = child
      at = childAt
    }
    items[at] = item
  }
}
