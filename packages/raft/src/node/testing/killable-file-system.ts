// The real file system for a member that a test abandons as kill -9 does: from then on nothing of it reaches the disk and no call of it
// ever ends. Its lock is not taken, because the process of the test lives on. Syncs can also fail, or hang for a while.
import { nodeFileSystem } from '../file-system-node.ts'
import type { File, FileSystem } from '../ports.ts'

export class KillableFileSystem implements FileSystem {
  #isDead = false
  #syncError: Error | undefined
  /** Pending while syncs hang. */
  #hang: Promise<void> = Promise.resolve()
  #endHang: () => void = () => {}

  kill(): void {
    this.#isDead = true
  }

  failSyncs(error: Error): void {
    this.#syncError = error
  }

  /** From now on no sync comes back, until continueSyncs(). */
  hangSyncs(): void {
    this.#hang = new Promise((resolve) => {
      this.#endHang = resolve
    })
  }

  continueSyncs(): void {
    this.#endHang()
  }

  async #call<T>(action: () => Promise<T>): Promise<T> {
    if (this.#isDead) return await new Promise<never>(() => {})
    const result = await action()
    return await (this.#isDead ? new Promise<never>(() => {}) : Promise.resolve(result))
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    const file = await this.#call(() => nodeFileSystem.open(path, mode))
    return {
      size: () => this.#call(() => file.size()),
      read: (position, length) => this.#call(() => file.read(position, length)),
      write: (buffers, position) => this.#call(() => file.write(buffers, position)),
      sync: () =>
        this.#call(async () => {
          await this.#hang
          if (this.#syncError !== undefined) throw this.#syncError
          await file.sync()
        }),
      truncate: (size) => this.#call(() => file.truncate(size)),
      close: () => this.#call(() => file.close()),
    }
  }

  list(path: string): Promise<string[]> {
    return this.#call(() => nodeFileSystem.list(path))
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call(() => nodeFileSystem.makeDirectory(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call(() => nodeFileSystem.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#call(() => nodeFileSystem.remove(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call(() => nodeFileSystem.syncDirectory(path))
  }

  lock(): Promise<{ release(): Promise<void> }> {
    return Promise.resolve({ release: () => Promise.resolve() })
  }
}
