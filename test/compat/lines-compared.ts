// What two servers tell the watches of one stream, line by line as it comes: of each watch the one must tell just what the other does, in the same order.
// Lines that both have told are forgotten.

export interface LineDifference {
  readonly watchId: number
  readonly theirs: string | undefined
  readonly ours: string | undefined
}

/** 0: etcd; 1: Balsa. */
export type Side = 0 | 1

interface Ahead {
  readonly side: Side
  readonly lines: string[]
}

export class LinesCompared {
  /** What one has told and the other has not yet, by watch. */
  readonly #ahead = new Map<number, Ahead>()
  #difference: LineDifference | undefined

  get isEqual(): boolean {
    return this.#ahead.size === 0 && this.#difference === undefined
  }

  /** Lines that differ, or that only one of them has told so far. */
  get difference(): LineDifference | undefined {
    if (this.#difference !== undefined) return this.#difference
    const [first] = this.#ahead
    if (first === undefined) return undefined
    const [watchId, { side, lines }] = first
    const missing = { watchId, theirs: undefined, ours: undefined }
    return side === 0 ? { ...missing, theirs: lines[0] } : { ...missing, ours: lines[0] }
  }

  /** Lines that differ for good, whatever comes. */
  get isBroken(): boolean {
    return this.#difference !== undefined
  }

  told(side: Side, watchId: number, line: string): void {
    const ahead = this.#ahead.get(watchId)
    if (ahead === undefined) this.#ahead.set(watchId, { side, lines: [line] })
    else if (ahead.side === side) ahead.lines.push(line)
    else {
      const other = ahead.lines.shift()
      if (ahead.lines.length === 0) this.#ahead.delete(watchId)
      if (other === line) return
      const [theirs, ours] = side === 0 ? [line, other] : [other, line]
      this.#difference ??= { watchId, theirs, ours }
    }
  }

  /** The last line of one side about a watch does not count. */
  forget(side: Side, watchId: number): void {
    const ahead = this.#ahead.get(watchId)
    if (ahead?.side !== side) return
    ahead.lines.pop()
    if (ahead.lines.length === 0) this.#ahead.delete(watchId)
  }
}
