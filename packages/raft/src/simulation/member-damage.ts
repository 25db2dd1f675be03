// What became of the data of one member's disk: damaged since some life of the member, whole again once it was opened since and is not recovering,
// or beyond repair.
import { RaftError } from '../errors.ts'
import type { SeededRandom } from './random.ts'
import type { SimDisk } from './sim-disk.ts'

/** The life of a member that is up and open. */
interface OpenLife {
  readonly number: number
  readonly isRecovering: boolean
}

export class MemberDamage {
  readonly #onHealed: () => void
  /** The newest life when it was damaged; undefined while it is whole. */
  #sinceLife: number | undefined
  #isEver = false
  /** Has refused to start with what is there. */
  isFatal = false

  constructor(onHealed: () => void) {
    this.#onHealed = onHealed
  }

  strike(newestLife: number): void {
    this.#sinceLife = newestLife
    this.#isEver = true
  }

  /** Whether it may hold less than the member has acknowledged. */
  isThere(open: OpenLife | undefined): boolean {
    if (this.#sinceLife === undefined) return false
    if (this.isFatal || open === undefined) return true
    if (open.number <= this.#sinceLife || open.isRecovering) return true
    this.#sinceLife = undefined
    this.#onHealed()
    return false
  }

  /** Whether that is a reason to stop which says what is damaged, and something was. */
  isNamedBy(reason: unknown): boolean {
    if (!this.#isEver || !(reason instanceof RaftError)) return false
    return reason.code === 'CORRUPT' && reason.file !== undefined
  }
}

/** Flips a bit in any file, where data stands rather than where none was written yet. Undefined if there is none. */
export function flipBit(
  disk: SimDisk,
  random: SeededRandom,
): { readonly path: string; readonly position: number } | undefined {
  const path = random.pick(disk.paths())
  if (path === undefined) return undefined
  const inode = disk.file(path)
  const end = random.chance(0.1) ? inode.size : inode.usedSize
  if (end === 0) return undefined
  const position = random.integer(0, end - 1)
  inode.flipBit(position, random.integer(0, 7))
  return { path, position }
}
