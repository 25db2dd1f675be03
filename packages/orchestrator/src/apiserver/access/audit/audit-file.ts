// The file that audit events are appended to, one JSON a line. At its size limit it is renamed with the time and a new one is begun; the
// oldest are removed. Events wait in a bounded queue; what does not fit is dropped and told.
import { appendFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface AuditFileOptions {
  readonly path: string
  readonly sizeBytesMax?: number
  /** Files that are kept besides the one being written. */
  readonly backupsMax?: number
  readonly onError: (error: Error) => void
}

const sizeBytesMaxDefault = 100 * 1024 * 1024
const backupsMaxDefault = 10
const queuedBytesMax = 16 * 1024 * 1024

export class AuditFile {
  readonly #options: AuditFileOptions
  #queue: string[] = []
  #queuedBytes = 0
  #dropped = 0
  #sizeBytes: number | undefined
  #writing: Promise<void> | undefined

  constructor(options: AuditFileOptions) {
    this.#options = options
  }

  write(event: object): void {
    const line = `${JSON.stringify(event)}\n`
    if (this.#queuedBytes + line.length > queuedBytesMax) {
      this.#dropped++
      return
    }
    this.#queue.push(line)
    this.#queuedBytes += line.length
    this.#writing ??= this.#drain()
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#writing
  }

  async #drain(): Promise<void> {
    // Later, so that what comes in this turn of the event loop goes out in one write.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    while (this.#queue.length > 0) {
      const text = this.#queue.join('')
      this.#queue = []
      this.#queuedBytes = 0
      try {
        await this.#append(text)
      } catch (reason) {
        this.#options.onError(reason instanceof Error ? reason : new Error(String(reason)))
      }
    }
    if (this.#dropped > 0) {
      this.#options.onError(
        new Error(`The audit log dropped ${this.#dropped} events: its disk is too slow`),
      )
      this.#dropped = 0
    }
    this.#writing = undefined
  }

  async #append(text: string): Promise<void> {
    const { path, sizeBytesMax = sizeBytesMaxDefault } = this.#options
    this.#sizeBytes ??= await sizeOf(path)
    if (this.#sizeBytes > 0 && this.#sizeBytes + text.length > sizeBytesMax) {
      await this.#rotate()
      this.#sizeBytes = 0
    }
    await appendFile(path, text, { mode: 0o600 })
    this.#sizeBytes += Buffer.byteLength(text)
  }

  async #rotate(): Promise<void> {
    const { path, backupsMax = backupsMaxDefault } = this.#options
    const prefix = `${basename(path)}.`
    await rename(path, `${path}.${new Date().toISOString().replaceAll(':', '-')}`)
    const backups = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix))
    for (const name of backups.toSorted().slice(0, Math.max(0, backups.length - backupsMax))) {
      await rm(join(dirname(path), name), { force: true })
    }
  }
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return 0
    throw reason
  }
}
