// The snapshots of one member in its folder `snap`. A file gets its name when it is whole and synced, so whatever has a name is either
// right or was damaged later. Only the newest one matters; older ones are removed.
import type { SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { File, FileSystem } from '../node/ports.ts'
import { openSnapshotFile, writeSnapshotFile } from './snapshot-file.ts'
import { isSnapshotName, snapshotName } from './snapshot-format.ts'

export class SnapshotStore {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  /** Sorted: the newest one last. */
  #names: string[]
  #writeCount = 0

  private constructor(fileSystem: FileSystem, directory: string, names: string[]) {
    this.#fileSystem = fileSystem
    this.#directory = directory
    this.#names = names
  }

  /** The folder is there already; half-written files in it are removed. */
  static async open(fileSystem: FileSystem, directory: string): Promise<SnapshotStore> {
    const names: string[] = []
    for (const name of await fileSystem.list(directory)) {
      if (isSnapshotName(name)) names.push(name)
      else if (name.endsWith('.tmp')) await fileSystem.remove(`${directory}/${name}`)
    }
    // A killed process may have renamed a file and not synced the folder: what is trusted from now on must last.
    await fileSystem.syncDirectory(directory)
    return new SnapshotStore(fileSystem, directory, names.sort())
  }

  /** Durable when it resolves. An error leaves nothing behind. */
  async write(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const name = snapshotName(meta)
    const path = `${this.#directory}/${name}`
    // A checkpoint and a snapshot from the leader may stand for the same index at the same time.
    const temporary = `${path}.${this.#writeCount++}.tmp`
    const file = await this.#fileSystem.open(temporary, 'create')
    try {
      try {
        await writeSnapshotFile(file, meta, chunks)
        await file.sync()
      } finally {
        await file.close()
      }
    } catch (reason) {
      await this.#fileSystem.remove(temporary)
      throw reason
    }
    await this.#fileSystem.rename(temporary, path)
    await this.#fileSystem.syncDirectory(this.#directory)
    if (!this.#names.includes(name)) this.#names = [...this.#names, name].sort()
  }

  /** What the newest file stands for, after reading all of it; undefined without a file. Throws RaftError CORRUPT. */
  async newest(): Promise<SnapshotMeta | undefined> {
    const name = this.#names.at(-1)
    if (name === undefined) return undefined
    return await this.#withFile(name, async (file, path) => {
      const snapshot = await openSnapshotFile(file, path)
      if (snapshotName(snapshot.meta) !== name) {
        const text = `Snapshot ${path} stands for ${snapshotName(snapshot.meta)}`
        throw new RaftError('CORRUPT', text, { file: path, offset: 0 })
      }
      for await (const chunk of snapshot.chunks()) void chunk
      return snapshot.meta
    })
  }

  async *chunks(meta: SnapshotMeta): AsyncGenerator<Uint8Array> {
    const path = `${this.#directory}/${snapshotName(meta)}`
    const file = await this.#fileSystem.open(path, 'read')
    try {
      yield* (await openSnapshotFile(file, path)).chunks()
    } finally {
      await file.close()
    }
  }

  /** Removes every file that is older than `meta`, and with `andItself` that of `meta` too. */
  async removeUpTo(meta: SnapshotMeta, andItself: boolean): Promise<void> {
    const limit = snapshotName(meta)
    const old = this.#names.filter((name) => name < limit || (andItself && name === limit))
    if (old.length === 0) return
    this.#names = this.#names.filter((name) => !old.includes(name))
    for (const name of old) await this.#fileSystem.remove(`${this.#directory}/${name}`)
    await this.#fileSystem.syncDirectory(this.#directory)
  }

  async #withFile<T>(name: string, action: (file: File, path: string) => Promise<T>): Promise<T> {
    const path = `${this.#directory}/${name}`
    const file = await this.#fileSystem.open(path, 'read')
    try {
      return await action(file, path)
    } finally {
      await file.close()
    }
  }
}
