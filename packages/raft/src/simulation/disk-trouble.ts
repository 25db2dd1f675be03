// What is wrong with one member's disk; it outlives the member's lives. Each trouble is switched on by whoever plans it, and reported every time
// that it strikes.
import type { SeededRandom } from './random.ts'
import { SimFileError, type SimDisk } from './sim-disk.ts'
import type { SimInode } from './sim-inode.ts'

const sectorSizeBytes = 512

/** What strikes an operation. */
export type DiskStrike =
  | 'readErrors'
  | 'failedSyncs'
  | 'fullDisks'
  | 'stuckSyncs'
  | 'misdirectedWrites'

export interface Place {
  readonly inode: SimInode
  readonly position: number
}

export class DiskTrouble {
  /** Called as a trouble strikes an operation, before it fails. */
  onStrike: (strike: DiskStrike) => void = () => {}
  /** Reads that fail with EIO from now on; Infinity until it is healed. */
  failingReads = 0
  /** Syncs that fail with EIO from now on: what they should have made last never does. */
  failingSyncs = 0
  /** Nothing grows any more: ENOSPC. */
  isFull = false
  /** No sync is done before this time. */
  stuckUntil = 0
  /** Where the next write goes instead is drawn from this. */
  misdirect: SeededRandom | undefined
  #pointsLeft = 0
  #crash: (() => boolean) | undefined

  /** The process or the power goes at the `count`-th point from now on: each operation has one before its effect and one after it. */
  crashAt(count: number, crash: () => boolean): void {
    this.#pointsLeft = count
    this.#crash = crash
  }

  /** Another point of an operation is reached. True when it is the one to crash at. */
  reachPoint(): boolean {
    if (this.#crash === undefined || --this.#pointsLeft > 0) return false
    const crash = this.#crash
    this.#crash = undefined
    return crash()
  }

  beforeRead(path: string): void {
    if (this.failingReads === 0) return
    this.failingReads--
    this.onStrike('readErrors')
    throw new SimFileError('EIO', path)
  }

  /** Before a file is made or gets longer. */
  beforeGrowth(path: string): void {
    if (!this.isFull) return
    this.onStrike('fullDisks')
    throw new SimFileError('ENOSPC', path)
  }

  /** Where a write of `size` bytes goes in place of where it should: over the newest data of the log (an older segment may be released, and what is wrong with it). Undefined if all is well. */
  takeMisdirection(disk: SimDisk, size: number): Place | undefined {
    const random = this.misdirect
    if (random === undefined) return undefined
    const path = disk.paths().findLast((each) => each.endsWith('.wal'))
    if (path === undefined) return undefined
    const inode = disk.file(path)
    const last = Math.floor((inode.usedSize - size) / sectorSizeBytes)
    if (last < 0) return undefined
    this.misdirect = undefined
    this.onStrike('misdirectedWrites')
    return { inode, position: random.integer(0, last) * sectorSizeBytes }
  }

  /** Whether this sync is one that fails. */
  failsSync(): boolean {
    if (this.failingSyncs === 0) return false
    this.failingSyncs--
    this.onStrike('failedSyncs')
    return true
  }

  /** How much longer than usual a sync takes that begins at `now`. */
  syncDelayMs(now: number): number {
    if (now >= this.stuckUntil) return 0
    this.onStrike('stuckSyncs')
    return this.stuckUntil - now
  }

  heal(): void {
    this.failingReads = 0
    this.failingSyncs = 0
    this.isFull = false
    this.stuckUntil = 0
    this.misdirect = undefined
    this.#crash = undefined
  }
}

/** Whether a member may stop because of it: a disk that is slow is no reason to give up, and of a write that goes astray nobody knows. */
export function isExcuse(strike: DiskStrike): boolean {
  return strike === 'readErrors' || strike === 'failedSyncs' || strike === 'fullDisks'
}
