// Where log lines go: standard error, standard output, files, or several of them. Written at once, so that nothing is lost when the process ends.
import { FlagError } from './given-flags.ts'
import { LogFile, type LogRotation } from './log-file.ts'

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

/** `targets`: 'stderr', 'stdout', 'default', or paths of files, to which is appended. `rotation`: of the one file there is. */
export function openLogOutputs(targets: readonly string[], rotation?: LogRotation): LogOutputs {
  const isFile = (target: string): boolean => !Object.hasOwn(streams, target)
  if (rotation !== undefined && targets.filter(isFile).length !== 1) {
    throw new FlagError(
      '--log-outputs requires a single file path when --log-rotate-config-json is defined',
    )
  }
  const files = targets.filter(isFile).map((target) => new LogFile(target, rotation))
  const toFiles = files.map(
    (file) =>
      (line: string): void =>
        file.write(line),
  )
  const toStreams = targets.flatMap((target) =>
    isFile(target) ? [] : [streams[target] ?? toStderr],
  )
  const writers = new Set([...toStreams, ...toFiles])
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
