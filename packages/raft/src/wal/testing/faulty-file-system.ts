// A simulated file system whose n-th change goes wrong: it fails, or a write lands in the wrong place.
import type { File, FileSystem } from '../../node/ports.ts'
import type { SimDisk } from '../../simulation/sim-disk.ts'
import { SimFileError } from '../../simulation/sim-disk.ts'
import { SimFileSystem } from '../../simulation/sim-file-system.ts'

export type Fault =
  | { readonly type: 'fail'; readonly code: 'EIO' | 'ENOSPC' }
  /** Where the write goes instead. */
  | {
      readonly type: 'misdirect'
      readonly place: (path: string, position: number) => { path: string; position: number }
    }

export interface FaultyOptions {
  readonly fault: Fault
  /** Counts changes (or, for a misdirected write, writes) from 1. */
  readonly at: number
}

export class FaultyFileSystem implements FileSystem {
  readonly #inner: SimFileSystem
  readonly #disk: SimDisk
  readonly #options: FaultyOptions
  #count = 0
  /** What the fault struck; undefined if the run was over before. */
  struck: string | undefined

  constructor(disk: SimDisk, options: FaultyOptions) {
    this.#inner = new SimFileSystem(disk)
    this.#disk = disk
    this.#options = options
  }

  stop(): void {
    this.#inner.stop()
  }

  #isDue(what: string): boolean {
    this.#count++
    if (this.#count !== this.#options.at) return false
    this.struck = what
    return true
  }

  #change(what: string, action: () => Promise<void>): Promise<void> {
    const { fault } = this.#options
    if (fault.type === 'misdirect' || !this.#isDue(what)) return action()
    return Promise.reject(new SimFileError(fault.code, what))
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    const file = await this.#inner.open(path, mode)
    return {
      size: () => file.size(),
      read: (position, length) => file.read(position, length),
      write: (buffers, position) => this.#write(file, path, { buffers, position }),
      sync: () => this.#sync(file, path),
      truncate: (size) => this.#change(`truncate ${path}`, () => file.truncate(size)),
      close: () => file.close(),
    }
  }

  #write(
    file: File,
    path: string,
    { buffers, position }: { readonly buffers: readonly Uint8Array[]; readonly position: number },
  ): Promise<void> {
    const what = `write ${path} at ${position}`
    const { fault } = this.#options
    if (fault.type === 'fail') return this.#change(what, () => file.write(buffers, position))
    if (!this.#isDue(what)) return file.write(buffers, position)
    // The file was renamed since, if that was not its name for good.
    const isThere = this.#disk.paths().includes(path)
    const wrong = fault.place(isThere ? path : path.replace(/\.tmp$/, ''), position)
    this.#disk.file(wrong.path).write(wrong.position, Buffer.concat(buffers))
    this.#disk.file(wrong.path).sync()
    return Promise.resolve()
  }

  /** What was not synced is never written, and can still be read. */
  #sync(file: File, path: string): Promise<void> {
    const { fault } = this.#options
    if (fault.type === 'fail' && this.#isDue(`sync ${path}`)) this.#inner.trouble.failingSyncs = 1
    return file.sync()
  }

  list(path: string): Promise<string[]> {
    return this.#inner.list(path)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#inner.makeDirectory(path)
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(`rename ${from}`, () => this.#inner.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#change(`remove ${path}`, () => this.#inner.remove(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#change(`sync folder ${path}`, () => this.#inner.syncDirectory(path))
  }

  lock(path: string): Promise<{ release(): Promise<void> }> {
    return this.#inner.lock(path)
  }
}
