// The FileSystem port over a simulated disk, for one life of a member. Every call takes simulated time, so a crash may fall
// between its start and its end; after it no promise of this life is ever settled.
import type { File, FileSystem } from '../node/ports.ts'
import type { SeededRandom } from './random.ts'
import { DiskTrouble, type Place } from './disk-trouble.ts'
import { SimFileError, type SimDisk } from './sim-disk.ts'
import type { SimInode } from './sim-inode.ts'

/** When a call of the disk is done; the default is at once. */
export interface DiskTiming {
  readonly after: (delayMs: number, callback: () => void) => void
  readonly now: () => number
  readonly random: SeededRandom
  readonly syncMs: () => { readonly min: number; readonly max: number }
}

type Call = 'quick' | 'sync'

export class SimFileSystem implements FileSystem {
  readonly #disk: SimDisk
  readonly #timing: DiskTiming | undefined
  readonly trouble: DiskTrouble
  #isAlive = true

  constructor(disk: SimDisk, timing?: DiskTiming, trouble: DiskTrouble = new DiskTrouble()) {
    this.#disk = disk
    this.#timing = timing
    this.trouble = trouble
  }

  /** The process is gone: nothing of it reaches the disk any more. */
  stop(): void {
    this.#isAlive = false
  }

  /** Runs `action` when the disk gets to it. A write has started to reach the disk by then, see SimFile.write(). */
  async call<T>(kind: Call, action: () => T): Promise<T> {
    this.#reachPoint()
    await this.#delay(kind)
    if (!this.#isAlive) return await neverSettled()
    const result = action()
    this.#reachPoint()
    return this.#isAlive ? result : await neverSettled()
  }

  /** A crash may fall here. */
  #reachPoint(): void {
    if (this.#isAlive && this.trouble.reachPoint()) this.stop()
  }

  async #delay(kind: Call): Promise<void> {
    const timing = this.#timing
    if (timing === undefined) return
    await new Promise<void>((resolve) => {
      timing.after(kind === 'quick' ? 0 : this.#syncMs(timing), resolve)
    })
  }

  #syncMs({ syncMs, random, now }: DiskTiming): number {
    const { min, max } = syncMs()
    return min + random.next() * (max - min) + this.trouble.syncDelayMs(now())
  }

  /** Where a write goes if not where it should. */
  misdirection(size: number): Place | undefined {
    return this.trouble.takeMisdirection(this.#disk, size)
  }

  /** For what a process does at the moment of the call, even if it dies before the answer. */
  now(action: () => void): void {
    if (this.#isAlive) action()
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    return this.call('quick', () => {
      if (mode === 'create') this.trouble.beforeGrowth(path)
      const inode = mode === 'create' ? this.#disk.create(path) : this.#disk.file(path)
      return new SimFile({ system: this, inode, path, isWritable: mode !== 'read' })
    })
  }

  list(path: string): Promise<string[]> {
    return this.call('quick', () => this.#disk.list(path))
  }

  makeDirectory(path: string): Promise<void> {
    return this.call('quick', () => {
      this.#disk.makeDirectory(path)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.call('quick', () => {
      this.#disk.rename(from, to)
    })
  }

  remove(path: string): Promise<void> {
    return this.call('quick', () => {
      this.#disk.remove(path)
    })
  }

  syncDirectory(path: string): Promise<void> {
    return this.call('sync', () => {
      this.#disk.syncDirectory(path)
    })
  }

  lock(path: string): Promise<{ release(): Promise<void> }> {
    return this.call('quick', () => {
      const release = this.#disk.lock(path)
      return { release: () => this.call('quick', release) }
    })
  }
}

interface SimFileOptions {
  readonly system: SimFileSystem
  readonly inode: SimInode
  readonly path: string
  readonly isWritable: boolean
}

class SimFile implements File {
  readonly #system: SimFileSystem
  readonly #inode: SimInode
  readonly #path: string
  readonly #isWritable: boolean
  #isOpen = true

  constructor(options: SimFileOptions) {
    this.#system = options.system
    this.#inode = options.inode
    this.#path = options.path
    this.#isWritable = options.isWritable
  }

  #checkOpen(isWrite: boolean): void {
    if (!this.#isOpen || (isWrite && !this.#isWritable)) throw new SimFileError('EBADF', this.#path)
  }

  size(): Promise<number> {
    return this.#system.call('quick', () => {
      this.#checkOpen(false)
      return this.#inode.size
    })
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#system.call('quick', () => {
      this.#checkOpen(false)
      this.#system.trouble.beforeRead(this.#path)
      return this.#inode.read(position, length)
    })
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    this.#checkOpen(true)
    // From now on a crash may find all, some or none of it on the disk.
    const bytes = concatenate(buffers)
    if (position + bytes.length > this.#inode.size) this.#system.trouble.beforeGrowth(this.#path)
    this.#system.now(() => {
      const intended: Place = { inode: this.#inode, position }
      const place = this.#system.misdirection(bytes.length) ?? intended
      place.inode.write(place.position, bytes)
    })
    await this.#system.call('quick', () => {})
  }

  async sync(): Promise<void> {
    this.#checkOpen(true)
    const count = this.#inode.changeCount
    await this.#system.call('sync', () => {
      if (!this.#system.trouble.failsSync()) {
        this.#inode.sync(count)
        return
      }
      this.#inode.failSync(count)
      throw new SimFileError('EIO', this.#path)
    })
  }

  truncate(size: number): Promise<void> {
    return this.#system.call('quick', () => {
      this.#checkOpen(true)
      this.#inode.truncate(size)
    })
  }

  close(): Promise<void> {
    return this.#system.call('quick', () => {
      this.#isOpen = false
    })
  }
}

/** The dead hear nothing. */
function neverSettled(): Promise<never> {
  return new Promise<never>(() => {})
}

function concatenate(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.reduce((size, buffer) => size + buffer.length, 0))
  let position = 0
  for (const buffer of buffers) {
    bytes.set(buffer, position)
    position += buffer.length
  }
  return bytes
}
