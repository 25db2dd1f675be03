// The metadata file of a member: two copies of a small state, written in turns, so that a crash or a damaged sector never takes both.
// Keeps: one write at a time, each synced before the next one, and always over the older copy.
import { assert } from '../core/assert.ts'
import { RaftError } from '../errors.ts'
import type { File, FileSystem } from '../node/ports.ts'
import {
  checkMetadataCopy,
  encodeMetadataCopy,
  metadataCopies,
  metadataCopyOffset,
  metadataCopySizeBytes,
  metadataFormatVersion,
  type MemberState,
  type MetadataCopy,
} from './metadata-format.ts'
import { findMisplacedRecord } from './misplaced-record.ts'
import type { RecordPosition } from './segment-format.ts'

export interface FoundMetadata {
  readonly file: MetadataFile
  readonly state: MemberState
  /** Both copies are right. If not, the one that is lost may have been the newer one. */
  readonly isWhole: boolean
}

export class MetadataFile {
  readonly #file: File
  #count: number
  #state: MemberState
  #isWriting = false

  private constructor(file: File, { count, state }: MetadataCopy) {
    this.#file = file
    this.#count = count
    this.#state = state
  }

  /** Undefined if there is none, or no copy of it can be read. Throws RaftError VERSION_MISMATCH. */
  static async open(fileSystem: FileSystem, path: string): Promise<FoundMetadata | undefined> {
    const file = await openExisting(fileSystem, path)
    if (file === undefined) return undefined
    try {
      const copies = await readCopies(file, path)
      const newest = copies.reduce<MetadataCopy | undefined>(
        (best, copy) => (best === undefined || copy.count > best.count ? copy : best),
        undefined,
      )
      if (newest !== undefined) {
        const opened = new MetadataFile(file, newest)
        return { file: opened, state: newest.state, isWhole: areWhole(copies) }
      }
    } catch (reason) {
      await file.close()
      throw reason
    }
    await file.close()
    return undefined
  }

  /** Durable when it resolves; takes the place of one that cannot be read. */
  static async create(
    fileSystem: FileSystem,
    path: string,
    state: MemberState,
  ): Promise<MetadataFile> {
    const temporary = `${path}.tmp`
    if ((await fileSystem.list(parentOf(path))).includes(nameOf(temporary))) {
      await fileSystem.remove(temporary)
    }
    const file = await fileSystem.open(temporary, 'create')
    const created = new MetadataFile(file, { count: 0, state })
    try {
      await created.writeBoth(state)
      await fileSystem.rename(temporary, path)
      await fileSystem.syncDirectory(parentOf(path))
    } catch (reason) {
      await file.close()
      throw reason
    }
    return created
  }

  /** Where a record of the log stands in this file, which the disk wrote to the wrong place. */
  async findRecord(position: RecordPosition, chain: number): Promise<number | undefined> {
    return await findMisplacedRecord(this.#file, 0, { position, chain })
  }

  /** Of the copies that were written. */
  get count(): number {
    return this.#count
  }

  get state(): MemberState {
    return this.#state
  }

  /** Durable when it resolves. After an error the file must not be used any more. */
  async write(state: MemberState): Promise<void> {
    assert(!this.#isWriting, 'the metadata are written one after another')
    this.#isWriting = true
    const count = this.#count + 1
    await this.#file.write([encodeMetadataCopy({ count, state })], metadataCopyOffset(count))
    await this.#file.sync()
    this.#count = count
    this.#state = state
    this.#isWriting = false
  }

  /** Whichever copy is damaged later, the other one says the same. */
  async writeBoth(state: MemberState): Promise<void> {
    for (let i = 0; i < metadataCopies; i++) await this.write(state)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** They follow each other: a copy that was written elsewhere leaves an old one in its place. */
function areWhole(copies: readonly MetadataCopy[]): boolean {
  const [first, second] = copies
  return first !== undefined && second !== undefined && Math.abs(first.count - second.count) === 1
}

async function readCopies(file: File, path: string): Promise<readonly MetadataCopy[]> {
  const copies: MetadataCopy[] = []
  for (let i = 0; i < metadataCopies; i++) {
    const offset = i * metadataCopySizeBytes
    const check = checkMetadataCopy(await file.read(offset, metadataCopySizeBytes), offset)
    if (check.status === 'ok') copies.push(check.copy)
    if (check.status === 'unknownVersion') {
      const text = `Metadata ${path} have format version ${check.version}, this program knows ${metadataFormatVersion}`
      throw new RaftError('VERSION_MISMATCH', text, { file: path, offset })
    }
  }
  return copies
}

async function openExisting(fileSystem: FileSystem, path: string): Promise<File | undefined> {
  const names = await fileSystem.list(parentOf(path))
  return names.includes(nameOf(path)) ? await fileSystem.open(path, 'write') : undefined
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash === -1) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
