// One file of log lines, and, where that is wanted, a new one when it is full: the old ones stay beside it with the time in their names.
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { FlagError } from './given-flags.ts'

/** Of --log-rotation-config-json; 0 means no limit. */
export interface LogRotation {
  readonly sizeBytesMax: number
  readonly ageDaysMax: number
  readonly backupsMax: number
  readonly isCompressed: boolean
}

const dayMs = 24 * 60 * 60 * 1000
const mib = 2 ** 20
const sizeMibDefault = 100

/** Throws for what is not etcd's JSON. */
export function parseLogRotation(json: string): LogRotation {
  let config: Readonly<Record<string, unknown>>
  try {
    config = Object(JSON.parse(json)) as Record<string, unknown>
  } catch (cause) {
    throw new FlagError(`--log-rotation-config-json '${json}' is no JSON`, { cause })
  }
  const count = (name: string): number => {
    const value = config[name] ?? 0
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
    throw new FlagError(`--log-rotation-config-json: ${name} must be a whole number`)
  }
  return {
    sizeBytesMax: (count('maxsize') || sizeMibDefault) * mib,
    ageDaysMax: count('maxage'),
    backupsMax: count('maxbackups'),
    isCompressed: config['compress'] === true,
  }
}

export class LogFile {
  readonly #path: string
  readonly #rotation: LogRotation | undefined
  #descriptor: number | undefined
  #sizeBytes = 0

  /** Appends to what is there. */
  constructor(path: string, rotation?: LogRotation) {
    this.#path = path.replace(/^file:\/\//, '')
    this.#rotation = rotation
    this.reopen()
  }

  write(line: string): void {
    if (this.#descriptor === undefined) return
    const bytes = Buffer.from(line)
    const sizeBytesMax = this.#rotation?.sizeBytesMax ?? Infinity
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > sizeBytesMax) this.#rotate()
    writeSync(this.#descriptor, bytes)
    this.#sizeBytes += bytes.length
  }

  /** The file of that name, whatever became of the one that was open. */
  reopen(): void {
    let descriptor: number
    try {
      descriptor = openSync(this.#path, 'a', 0o600)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new FlagError(`--log-outputs '${this.#path}' cannot be written: ${why}`, { cause })
    }
    this.close()
    this.#descriptor = descriptor
    this.#sizeBytes = fstatSync(descriptor).size
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #rotate(): void {
    const extension = extname(this.#path)
    const stem = this.#path.slice(0, this.#path.length - extension.length)
    const time = new Date().toISOString().replaceAll(':', '-').replace('Z', '')
    const old = `${stem}-${time}${extension}`
    renameSync(this.#path, old)
    this.reopen()
    if (this.#rotation?.isCompressed === true) {
      writeFileSync(`${old}.gz`, gzipSync(readFileSync(old)), { mode: 0o600 })
      unlinkSync(old)
    }
    this.#dropOld(`${basename(stem)}-`, extension)
  }

  #dropOld(prefix: string, extension: string): void {
    const { ageDaysMax = 0, backupsMax = 0 } = this.#rotation ?? {}
    const directory = dirname(this.#path)
    // The time in the names sorts them.
    const kept = readdirSync(directory)
      .filter(
        (name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\dT/.test(name.slice(prefix.length)),
      )
      .filter((name) => name.endsWith(extension) || name.endsWith(`${extension}.gz`))
      .sort()
      .reverse()
    for (const [i, name] of kept.entries()) {
      const path = join(directory, name)
      const isTooMany = backupsMax > 0 && i >= backupsMax
      const isTooOld = ageDaysMax > 0 && statSync(path).mtimeMs < Date.now() - ageDaysMax * dayMs
      if (isTooMany || isTooOld) unlinkSync(path)
    }
  }
}
