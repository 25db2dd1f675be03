// Writes the changes after a base into files of a bounded size; what flush() has returned from is on disk.
import { mkdirSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { deltaName } from './backup-folder.ts'
import { checksumOf, deltaMagic, encodeRecord, type DeltaRecord } from './delta-format.ts'

/** The next record begins another file. */
const fileSizeBytesMax: number = 64 * 2 ** 20

export class DeltaWriter {
  readonly #folder: string
  #file: FileHandle | undefined
  #sizeBytes = 0
  #checksum = 0
  #waiting: Buffer[] = []

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#folder = folder
  }

  async add(record: DeltaRecord): Promise<void> {
    if (this.#file === undefined || this.#sizeBytes >= fileSizeBytesMax) await this.#begin(record)
    const bytes = encodeRecord(record, this.#checksum)
    this.#checksum = checksumOf(bytes)
    this.#sizeBytes += bytes.length
    this.#waiting.push(bytes)
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) return
    await this.#file?.appendFile(Buffer.concat(waiting))
    await this.#file?.datasync()
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#file?.close()
    this.#file = undefined
  }

  /** A file that is there already holds nothing but what comes now: a crash took the rest. */
  async #begin({ type, revision }: DeltaRecord): Promise<void> {
    await this.close()
    const from = type === 'revision' ? revision : revision + 1
    this.#file = await open(join(this.#folder, deltaName(from)), 'w', 0o600)
    this.#checksum = 0
    this.#sizeBytes = deltaMagic.length
    this.#waiting = [deltaMagic]
  }
}
