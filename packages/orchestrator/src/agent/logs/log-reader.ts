// Reads a container's log back: the rotated files and the current one as one text, from the end or from a time, once or following.
import { open, type FileHandle } from 'node:fs/promises'
import { isMissing } from '../runtime/process-identity.ts'
import { parseCriLine } from './cri-line.ts'
import { logFilesMax } from './log-writer.ts'

export interface LogReadOptions {
  readonly follow: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  /** Epoch milliseconds; older lines are left out. */
  readonly sinceMs: number | undefined
  readonly limitBytes: number | undefined
}
/** The end that still grows; undefined for the log of a run that is over. */
export interface LogGrowth {
  readonly isFinished: boolean
  onGrowth(listener: () => void): () => void
}

const chunkBytes = 65_536
const newline = 0x0a
/** A line of the file cannot be longer: what is, is damaged and skipped. */
const storedLineBytesMax = 65_536

export async function* readLog(
  logPath: string,
  options: LogReadOptions,
  growth: LogGrowth | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const files = await openFiles(logPath)
  const wake = new Wake(growth, signal)
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  try {
    let offset = await dropToTail(files, options.tailLines)
    while (!signal.aborted && left > 0) {
      const isLast = growth === undefined || !options.follow || growth.isFinished
      for await (const text of readFiles(files, offset, options)) {
        const cut = text.length > left ? text.subarray(0, left) : text
        left -= cut.length
        if (cut.length > 0) yield cut
        if (left <= 0 || signal.aborted) return
      }
      offset = files.offset
      if (isLast) return
      await wake.wait()
      await files.followRotation()
    }
  } finally {
    wake.close()
    await files.close()
  }
}

/** The files of a log, oldest first. The last one stays open while it is followed. */
class LogFiles {
  readonly logPath: string
  readonly handles: FileHandle[]
  /** How far the last file was read, to the end of a line. */
  offset = 0

  constructor(logPath: string, handles: FileHandle[]) {
    this.logPath = logPath
    this.handles = handles
  }

  /** The writer renames a full file and begins a new one: all that came after the one at hand are read next. */
  async followRotation(): Promise<void> {
    const current = this.handles.at(-1)
    const inode = current === undefined ? undefined : (await current.stat()).ino
    const newer: FileHandle[] = []
    for (let number = 0; number < logFilesMax; number++) {
      const handle = await openIfThere(number === 0 ? this.logPath : `${this.logPath}.${number}`)
      if (handle === undefined) break
      if ((await handle.stat()).ino === inode) {
        await handle.close()
        break
      }
      newer.unshift(handle)
    }
    this.handles.push(...newer)
  }

  async dropOlder(count: number): Promise<void> {
    for (const handle of this.handles.splice(0, count)) await handle.close()
  }

  async close(): Promise<void> {
    for (const handle of this.handles.splice(0)) await handle.close()
  }
}

async function openFiles(logPath: string): Promise<LogFiles> {
  const handles: FileHandle[] = []
  for (let number = logFilesMax - 1; number >= 0; number--) {
    const handle = await openIfThere(number === 0 ? logPath : `${logPath}.${number}`)
    if (handle !== undefined) handles.push(handle)
  }
  return new LogFiles(logPath, handles)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
}

/** Drops the files before the last `tailLines` lines; returns where those begin in the first file that is left. */
async function dropToTail(files: LogFiles, tailLines: number | undefined): Promise<number> {
  if (tailLines === undefined) return 0
  let wanted = tailLines
  for (let index = files.handles.length - 1; index >= 0; index--) {
    const handle = files.handles[index]
    if (handle === undefined) break
    const { offset, linesMissing } = await tailOffset(handle, wanted)
    if (linesMissing === 0) {
      await files.dropOlder(index)
      return offset
    }
    wanted = linesMissing
  }
  return 0
}

/** Where the last `lines` lines begin, or how many more are needed from older files. */
async function tailOffset(
  handle: FileHandle,
  lines: number,
): Promise<{ offset: number; linesMissing: number }> {
  const { size } = await handle.stat()
  if (lines === 0) return { offset: size, linesMissing: 0 }
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let ends = 0
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes)
    const { bytesRead } = await handle.read(chunk, 0, end - start, start)
    for (let index = bytesRead - 1; index >= 0; index--) {
      if (chunk[index] === newline && ++ends > lines) {
        return { offset: start + index + 1, linesMissing: 0 }
      }
    }
    end = start
  }
  return { offset: 0, linesMissing: lines - ends }
}

/** All whole lines from `offset` of the first file on; leaves only the last file open and remembers how far it was read. */
async function* readFiles(
  files: LogFiles,
  offset: number,
  options: LogReadOptions,
): AsyncGenerator<Buffer> {
  let start = offset
  for (;;) {
    const handle = files.handles[0]
    if (handle === undefined) return
    files.offset = start
    for await (const [lines, next] of readLines(handle, start)) {
      files.offset = next
      const text = textOf(lines, options)
      if (text.length > 0) yield text
    }
    if (files.handles.length === 1) return
    await files.dropOlder(1)
    start = 0
  }
}

async function* readLines(
  handle: FileHandle,
  offset: number,
): AsyncGenerator<[lines: Buffer, next: number]> {
  let start = offset
  let size = chunkBytes
  for (;;) {
    const chunk = Buffer.allocUnsafe(size)
    const { bytesRead } = await handle.read(chunk, 0, size, start)
    if (bytesRead === 0) return
    const end = chunk.lastIndexOf(newline, bytesRead - 1) + 1
    if (end > 0) {
      yield [chunk.subarray(0, end), start + end]
      start += end
      size = chunkBytes
    } else if (bytesRead < size) return
    else if (size <= storedLineBytesMax) size *= 2
    else start += bytesRead
  }
}

function textOf(lines: Buffer, options: LogReadOptions): Buffer {
  const parts: Buffer[] = []
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(newline, start)
    const line = parseCriLine(lines.subarray(start, end))
    start = end + 1
    if (line === undefined) continue
    if (options.sinceMs !== undefined && Date.parse(line.time) < options.sinceMs) continue
    if (options.timestamps) parts.push(Buffer.from(`${line.time} `))
    parts.push(line.text)
    if (line.isFull) parts.push(Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

/** Waits until the log grew since the last wait, or the reader was sent away. */
class Wake {
  readonly #stop: () => void
  #isDue = false
  #resolve: (() => void) | undefined

  constructor(growth: LogGrowth | undefined, signal: AbortSignal) {
    const wake = (): void => {
      this.#isDue = true
      this.#resolve?.()
    }
    const stopGrowth = growth?.onGrowth(wake)
    signal.addEventListener('abort', wake)
    this.#stop = () => {
      stopGrowth?.()
      signal.removeEventListener('abort', wake)
    }
  }

  async wait(): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
    }
    this.#isDue = false
    this.#resolve = undefined
  }

  close(): void {
    this.#stop()
  }
}
