// Makes a list of operations that shows a difference as short as can be in some time: the head is cut off, then all of a kind, then ever smaller pieces are left out.
import type { Operation } from './operation.ts'
import type { Difference } from './run-operations.ts'

export interface Shrunk {
  readonly operations: readonly Operation[]
  readonly difference: Difference
}

type Attempt = (operations: readonly Operation[]) => Promise<Difference | undefined>

export async function shrink(
  operations: readonly Operation[],
  difference: Difference,
  attempt: Attempt,
  timeMaxMs: number,
): Promise<Shrunk> {
  const search = new Search(
    operations.slice(0, difference.index + 1),
    difference,
    attempt,
    timeMaxMs,
  )
  for (let size = 4; size < search.size && search.hasTime; size *= 4) {
    if (await search.improve((all) => all.slice(-size))) break
  }
  await leaveOutKinds(search)
  let piece = Math.ceil(search.size / 2)
  while (search.hasTime) {
    let isShorter = false
    for (let from = 0; from < search.size - 1 && search.hasTime;) {
      const at = from
      const size = piece
      if (await search.improve((all) => all.toSpliced(at, size))) isShorter = true
      else from += piece
    }
    if (piece === 1 && !isShorter) break
    piece = Math.max(1, Math.floor(piece / 2))
  }
  return search.best
}

/** Most kinds of requests have no part in it, and are most of the list. */
async function leaveOutKinds(search: Search): Promise<void> {
  const kinds = new Set(search.best.operations.map(kindOf))
  for (const kind of kinds) {
    if (!search.hasTime) return
    await search.improve((all) => all.filter((operation) => kindOf(operation) !== kind))
  }
}

function kindOf(operation: Operation): string {
  return operation.type === 'call' ? operation.method : operation.type
}

class Search {
  readonly #attempt: Attempt
  readonly #deadline: number
  best: Shrunk

  constructor(
    operations: readonly Operation[],
    difference: Difference,
    attempt: Attempt,
    timeMaxMs: number,
  ) {
    this.best = { operations, difference }
    this.#attempt = attempt
    this.#deadline = performance.now() + timeMaxMs
  }

  get size(): number {
    return this.best.operations.length
  }

  get hasTime(): boolean {
    return performance.now() < this.#deadline
  }

  /** Whether what is left still shows a difference. */
  async improve(
    shorten: (operations: readonly Operation[]) => readonly Operation[],
  ): Promise<boolean> {
    const shorter = shorten(this.best.operations)
    if (shorter.length === 0) return false
    const found = await this.#attempt(shorter)
    if (found === undefined) return false
    this.best = { operations: shorter.slice(0, found.index + 1), difference: found }
    return true
  }
}
