// A binary heap: the least of many, one by one, in an order given by a function.

export class Heap<T> {
  readonly #items: T[] = []
  readonly #isBefore: (left: T, right: T) => boolean

  constructor(isBefore: (left: T, right: T) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }
  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let index = items.push(item) - 1
    while (index > 0) {
      const above = (index - 1) >>> 1
      const parent = items[above]
      if (parent === undefined || !this.#isBefore(item, parent)) break
      items[index] = parent
      index = above
    }
    items[index] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return top
  }

  #sink(item: T): void {
    const items = this.#items
    let index = 0
    for (;;) {
      const left = items[index * 2 + 1]
      if (left === undefined) break
      const right = items[index * 2 + 2]
      const isRight = right !== undefined && this.#isBefore(right, left)
      const child = isRight ? right : left
      if (!this.#isBefore(child, item)) break
      items[index] = child
      index = index * 2 + (isRight ? 2 : 1)
    }
    items[index] = item
  }
}
