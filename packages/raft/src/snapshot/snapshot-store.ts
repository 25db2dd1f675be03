// The snapshots of one member in its folder `snap`. A file gets its name when it is whole and synced, so whatever has a name is either
// right or was damaged later. Only the newest one matters; older ones are removed. What came of a peer's snapshot before it broke off
// is kept as a part, one at most, for the stream of the same id only.
import { createHash } from 'node:crypto'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { File, FileSystem, SnapshotStream } from '../node/ports.ts'
import { setAside } from '../wal/broken-files.ts'
import { openSnapshotFile } from './snapshot-file.ts'
import { isPartName, isSnapshotName, partName, snapshotName } from './snapshot-format.ts'
import { SnapshotWriter } from './snapshot-writer.ts'

const fromStart = { offset: 0, checksum: 0 }

/** A file that does not check out: `error` says where. */
export interface DamagedSnapshot {
  readonly name: string
  readonly error: RaftError
}

export interface FoundSnapshots {
  /** The newest that is whole. */
  readonly newest: SnapshotMeta | undefined
  /** Those newer than it, which are not. */
  readonly damaged: readonly DamagedSnapshot[]
}

export class SnapshotStore {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  /** Sorted: the newest one last. */
  #names: string[]
  #part: string | undefined
  #isReceiving = false
  #writeCount = 0

  private constructor(fileSystem: FileSystem, directory: string, names: string[]) {
    this.#fileSystem = fileSystem
    this.#directory = directory
    this.#names = names.filter(isSnapshotName).sort()
    this.#part = names.filter(isPartName).sort().at(-1)
  }

  /** The folder is there already; half-written files in it are removed, but for one part. */
  static async open(fileSystem: FileSystem, directory: string): Promise<SnapshotStore> {
    const names = await fileSystem.list(directory)
    const store = new SnapshotStore(fileSystem, directory, names)
    for (const name of names) {
      const isLeftOver = name.endsWith('.tmp') || (isPartName(name) && name !== store.#part)
      if (isLeftOver) await fileSystem.remove(`${directory}/${name}`)
    }
    // A killed process may have renamed a file and not synced the folder: what is trusted from now on must last.
    await fileSystem.syncDirectory(directory)
    return store
  }

  /** Durable when it resolves. An error leaves nothing behind. */
  async write(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    // A checkpoint and a snapshot from the leader may stand for the same index at the same time.
    const temporary = `${snapshotName(meta)}.${this.#writeCount++}.tmp`
    const file = await this.#open(temporary, 'create')
    try {
      try {
        const writer = await SnapshotWriter.begin(file, meta)
        for await (const chunk of chunks) await writer.append(chunk)
        await writer.end()
      } finally {
        await file.close()
      }
    } catch (reason) {
      await this.#remove(temporary)
      throw reason
    }
    await this.#rename(temporary, meta)
    await this.#publish(meta)
  }

  #rename(written: string, meta: SnapshotMeta): Promise<void> {
    return this.#fileSystem.rename(this.#path(written), this.#path(snapshotName(meta)))
  }

  async #publish(meta: SnapshotMeta): Promise<void> {
    const name = snapshotName(meta)
    await this.#fileSystem.syncDirectory(this.#directory)
    if (!this.#names.includes(name)) this.#names = [...this.#names, name].sort()
  }

  /**
   * Takes a peer's snapshot, one at a time; durable when it resolves. When the stream breaks, what came is kept and the next stream of the
   * same id goes on behind it; when the disk fails, nothing is kept.
   */
  async receive(from: NodeId, stream: SnapshotStream): Promise<void> {
    if (this.#isReceiving) throw new RaftError('OVERLOADED', 'Another snapshot is being received')
    const { meta, id } = stream
    this.#isReceiving = true
    try {
      if (id === undefined) await this.write(meta, stream.chunks(fromStart))
      else await this.#receivePart(partName(meta, partKey(from, id)), stream)
    } finally {
      this.#isReceiving = false
    }
  }

  async #receivePart(name: string, stream: SnapshotStream): Promise<void> {
    // Whatever else was kept is of a stream that is over.
    if (this.#part !== name) await this.#dropPart()
    const breaks = new StreamBreaks(stream)
    try {
      await this.#writePart(name, breaks)
      await this.#rename(name, stream.meta)
    } catch (reason) {
      if (!breaks.isBroken) await this.#dropPart()
      throw reason
    }
    this.#part = undefined
    await this.#publish(stream.meta)
  }

  async #writePart(name: string, stream: SnapshotStream): Promise<void> {
    const isKept = this.#part === name
    const file = await this.#open(name, isKept ? 'write' : 'create')
    try {
      this.#part = name
      const kept = isKept
        ? await SnapshotWriter.resume({ file, path: this.#path(name) }, stream.meta)
        : undefined
      if (isKept && kept === undefined) await file.truncate(0)
      const writer = kept ?? (await SnapshotWriter.begin(file, stream.meta))
      if (!isKept) await this.#fileSystem.syncDirectory(this.#directory)
      for await (const chunk of stream.chunks(writer.position)) await writer.append(chunk)
      await writer.end()
    } finally {
      await file.close()
    }
  }

  async #dropPart(): Promise<void> {
    const name = this.#part
    if (name === undefined) return
    this.#part = undefined
    await this.#remove(name)
  }

  /** Reads the files, the newest one first, until one is whole. Whether one that is damaged was needed, the log knows. */
  async find(): Promise<FoundSnapshots> {
    const damaged: DamagedSnapshot[] = []
    for (const name of [...this.#names].reverse()) {
      try {
        return { newest: await this.#check(name), damaged }
      } catch (reason) {
        if (!(reason instanceof RaftError)) throw reason
        damaged.push({ name, error: reason })
      }
    }
    return { newest: undefined, damaged }
  }

  /** What the newest file stands for, after reading all of it; undefined without a file. Throws RaftError CORRUPT. */
  async newest(): Promise<SnapshotMeta | undefined> {
    const name = this.#names.at(-1)
    return name === undefined ? undefined : await this.#check(name)
  }

  async #check(name: string): Promise<SnapshotMeta> {
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

  get isEmpty(): boolean {
    return this.#names.length === 0
  }

  /** Damaged files are kept under other names; nothing reads them again. */
  async setAside(damaged: readonly DamagedSnapshot[]): Promise<void> {
    const names = damaged.map(({ name }) => name)
    this.#names = this.#names.filter((name) => !names.includes(name))
    if (names.length > 0) await setAside(this.#fileSystem, this.#directory, names)
  }

  async *chunks(meta: SnapshotMeta): AsyncGenerator<Uint8Array> {
    const name = snapshotName(meta)
    const file = await this.#open(name, 'read')
    try {
      yield* (await openSnapshotFile(file, this.#path(name))).chunks()
    } finally {
      await file.close()
    }
  }

  /** Removes every file that is older than `meta`, and with `andItself` that of `meta` too. */
  async removeUpTo(meta: SnapshotMeta, andItself: boolean): Promise<void> {
    const limit = snapshotName(meta)
    const isOldPart = this.#part !== undefined && this.#part < limit && !this.#isReceiving
    if (isOldPart) await this.#dropPart()
    const old = this.#names.filter((name) => name < limit || (andItself && name === limit))
    await this.#removeAll(old)
  }

  async #removeAll(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    this.#names = this.#names.filter((name) => !names.includes(name))
    for (const name of names) await this.#remove(name)
    await this.#fileSystem.syncDirectory(this.#directory)
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`
  }

  #open(name: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    return this.#fileSystem.open(this.#path(name), mode)
  }

  #remove(name: string): Promise<void> {
    return this.#fileSystem.remove(this.#path(name))
  }

  async #withFile<T>(name: string, action: (file: File, path: string) => Promise<T>): Promise<T> {
    const file = await this.#open(name, 'read')
    try {
      return await action(file, this.#path(name))
    } finally {
      await file.close()
    }
  }
}

/** Streams of different senders never share a part, even if they should have drawn the same id. */
function partKey(from: NodeId, id: string): string {
  return createHash('sha256').update(`${from}\n${id}`).digest('hex').slice(0, 32)
}

/** Tells a stream that breaks from a disk that fails. */
class StreamBreaks implements SnapshotStream {
  readonly meta: SnapshotMeta
  readonly id: string | undefined
  readonly #stream: SnapshotStream
  isBroken = false

  constructor(stream: SnapshotStream) {
    this.#stream = stream
    this.meta = stream.meta
    this.id = stream.id
  }

  async *chunks(from: { offset: number; checksum: number }): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#stream.chunks(from)) yield chunk
    } catch (reason) {
      this.isBroken = true
      throw reason
    }
  }
}
