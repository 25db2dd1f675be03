// Where log lines go: standard error, standard output, files, or several of them. Written at once, so that nothing is lost when the process ends.
import { closeSync, openSync, writeSync } from 'node:fs'
import { FlagError } from './given-flags.ts'

export interface LogOutputs {
  write(line: string): void
  /** Opens files anew: what was moved away by a log rotation is let go. */
  reopen(): void
  close(): void
}

const toStderr = (line: string): void => void process.stderr.write(line)
const toStdout = (line: string): void => void process.stdout.write(line)
const streams: Readonly<Record<string, (line: string) => void>> = {
  default: toStderr,
  stderr: toStderr,
  // What reads standard error of a unit is the journal.
  'systemd/journal': toStderr,
  stdout: toStdout,
}

/** `targets`: 'stderr', 'stdout', 'default', or paths of files, to which is appended. */
export function openLogOutputs(targets: readonly string[]): LogOutputs {
  const writers = new Set<(line: string) => void>()
  const files: LogFile[] = []
  for (const target of targets) {
    const stream = Object.hasOwn(streams, target) ? streams[target] : undefined
    if (stream !== undefined) writers.add(stream)
    else {
      const file = new LogFile(target)
      files.push(file)
      writers.add((line) => file.write(line))
    }
  }
  return {
    write: (line) => {
      for (const write of writers) write(line)
    },
    reopen: () => {
      for (const file of files) file.reopen()
    },
    close: () => {
      for (const file of files) file.close()
    },
  }
}

class LogFile {
  readonly #path: string
  #descriptor: number | undefined

  constructor(path: string) {
    this.#path = path.replace(/^file:\/\//, '')
    this.reopen()
  }

  write(line: string): void {
    if (this.#descriptor !== undefined) writeSync(this.#descriptor, line)
  }

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
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
