// Moves the raw output of one run into its log in CRI format. The program writes to files, not to a pipe of the agent, so that it neither
// stops nor dies when the agent does; the next agent goes on where this one stopped. After a crash of the agent the last chunk may
// appear twice. A raw file that grew large is emptied once all of it has been moved; a line written in that very moment can be lost.
import { ftruncateSync, fstatSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing } from '../runtime/process-identity.ts'
import { LineFramer, type LogStream } from './cri-line.ts'

export const logBytesMaxDefault: number = 10 * 1024 * 1024
/** The log and the rotated files beside it, `N.log.1` being the newest of those. */
export const logFilesMax = 5
const rawBytesMaxDefault = 16 * 1024 * 1024
const chunkBytes = 65_536
const streams: readonly LogStream[] = ['stdout', 'stderr']

export interface LogWriterOptions {
  /** Where the raw files `stdout` and `stderr` of the run are. */
  readonly runDir: string
  readonly logPath: string
  readonly logBytesMax?: number
  readonly rawBytesMax?: number
}

interface Source {
  readonly file: FileHandle
  readonly framer: LineFramer
  /** Bytes of the raw file that were read. */
  offset: number
}

export class LogWriter {
  readonly #options: LogWriterOptions
  readonly #sources = new Map<LogStream, Source>()
  readonly #listeners = new Set<() => void>()
  #log: FileHandle | undefined
  #logBytes = 0
  #pumping: Promise<void> | undefined
  #isPumpWanted = false
  #isFinished = false

  private constructor(options: LogWriterOptions) {
    this.#options = options
  }

  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const writer = new LogWriter(options)
    await mkdir(dirname(options.logPath), { recursive: true, mode: 0o700 })
    const offsets = await readOffsets(writer.#offsetsPath)
    for (const stream of streams) {
      const file = await open(join(options.runDir, stream), 'a+', 0o600)
      const { size } = await file.stat()
      const offset = offsets[stream] ?? 0
      const source = { file, framer: new LineFramer(stream), offset: offset > size ? 0 : offset }
      writer.#sources.set(stream, source)
    }
    await writer.#openLog()
    return writer
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Called after every growth of the log and at its end. Returns the function that ends it. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Moves what is there; calls that come meanwhile are served by one more round. */
  pump(): Promise<void> {
    this.#isPumpWanted = true
    this.#pumping ??= this.#pumpAll()
    return this.#pumping
  }

  /** Moves the rest, with a last line that has no end, and closes the files. */
  async finish(): Promise<void> {
    await this.pump()
    const time = new Date().toISOString()
    await this.#append([...this.#sources.values()].flatMap(({ framer }) => framer.flush(time)))
    await this.#saveOffsets()
    this.#isFinished = true
    await this.close()
    this.#tell()
  }

  /** Stops without an end of the log: another agent goes on. */
  async close(): Promise<void> {
    await this.#pumping
    for (const { file } of this.#sources.values()) await file.close()
    this.#sources.clear()
    await this.#log?.close()
    this.#log = undefined
  }

  get #offsetsPath(): string {
    return join(this.#options.runDir, 'moved.json')
  }

  async #pumpAll(): Promise<void> {
    try {
      while (this.#isPumpWanted) {
        this.#isPumpWanted = false
        for (const source of this.#sources.values()) await this.#pumpSource(source)
      }
    } finally {
      // In the same turn as the last look at the wish, so that no wish falls between.
      this.#pumping = undefined
    }
  }

  async #pumpSource(source: Source): Promise<void> {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let isMoved = false
    for (;;) {
      const { bytesRead } = await source.file.read(chunk, 0, chunkBytes, source.offset)
      if (bytesRead === 0) break
      source.offset += bytesRead
      isMoved = true
      await this.#append(
        source.framer.frame(chunk.subarray(0, bytesRead), new Date().toISOString()),
      )
    }
    const isEmptied = this.#maybeEmptyRaw(source)
    if (isMoved || isEmptied) await this.#saveOffsets()
  }

  /** Synchronous, so that nothing but the program itself can write between the check and the cut. */
  #maybeEmptyRaw(source: Source): boolean {
    const { file, framer, offset } = source
    if (offset < (this.#options.rawBytesMax ?? rawBytesMaxDefault)) return false
    if (framer.pendingBytes > 0 || fstatSync(file.fd).size !== offset) return false
    ftruncateSync(file.fd, 0)
    source.offset = 0
    return true
  }

  async #append(lines: readonly Buffer[]): Promise<void> {
    if (lines.length === 0 || this.#log === undefined) return
    const bytes = Buffer.concat(lines)
    await this.#log.appendFile(bytes)
    this.#logBytes += bytes.length
    if (this.#logBytes >= (this.#options.logBytesMax ?? logBytesMaxDefault)) await this.#rotate()
    this.#tell()
  }

  async #rotate(): Promise<void> {
    const { logPath } = this.#options
    await this.#log?.close()
    await rm(`${logPath}.${logFilesMax - 1}`, { force: true })
    for (let number = logFilesMax - 1; number > 0; number--) {
      const older = number === 1 ? logPath : `${logPath}.${number - 1}`
      await rename(older, `${logPath}.${number}`).catch((reason: unknown) => {
        if (!isMissing(reason)) throw reason
      })
    }
    await this.#openLog()
  }

  async #openLog(): Promise<void> {
    this.#log = await open(this.#options.logPath, 'a', 0o600)
    this.#logBytes = (await this.#log.stat()).size
  }

  async #saveOffsets(): Promise<void> {
    const offsets = Object.fromEntries(
      [...this.#sources].map(([stream, { offset, framer }]) => [
        stream,
        offset - framer.pendingBytes,
      ]),
    )
    await writeFile(this.#offsetsPath, JSON.stringify(offsets), { mode: 0o600 })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A file that is missing or was cut off counts as none. */
async function readOffsets(path: string): Promise<Partial<Record<LogStream, number>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (reason) {
    if (isMissing(reason)) return {}
    throw reason
  }
  const [, stdout, stderr] = /^\{"stdout":(\d{1,15}),"stderr":(\d{1,15})\}$/.exec(text) ?? []
  return stdout === undefined || stderr === undefined
    ? {}
    : { stdout: Number(stdout), stderr: Number(stderr) }
}
