// The port between the agent and what runs containers: OS processes here, other runtimes beside it. A run lives in a folder of its own,
// which is all that an agent needs to find it again after the agent itself died.
import type { Readable, Writable } from 'node:stream'
import type { RunInput } from './run-input.ts'
import type { TerminalSize } from './terminal.ts'

/** One run of one container. All paths are absolute. */
export interface RunSpec {
  /** Empty or missing; the runtime keeps its own files in it. The raw output goes to `stdout` and `stderr` there. */
  readonly runDir: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Standard input that clients attach to; `once`: it ends with the first of them. Left out: there is none. */
  readonly input?: 'once' | 'open'
  /** On a terminal, where all output is on stdout. */
  readonly terminal?: boolean
}

export type StopSignal = 'SIGTERM' | 'SIGKILL'

export interface Run {
  /** Of the leader of the run's process group, for those who look from outside. */
  readonly pid: number
  /** undefined: it has none, or its end was closed. */
  readonly input: RunInput | undefined
  /** Resolves once no process of the run is left. Never rejects. */
  readonly exited: Promise<RunEnd>
  /** To every process of the run; nothing happens when it has ended. */
  signal(signal: StopSignal): void
  /** The agent goes and the run stays: nothing of this run is watched any more. */
  detach(): void
}
export interface RunEnd {
  /** 128 + n after signal n; 137 when nobody saw how it ended. */
  readonly exitCode: number
  /** Epoch milliseconds. */
  readonly finishedAtMs: number
}

/** A command that runs beside a container, with its streams open. */
export interface Command {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves to the exit code, 128 + n after signal n, when the output has ended too. Never rejects. */
  readonly exited: Promise<number>
  /** Of its terminal, if it has one. */
  resize(size: TerminalSize): void
  kill(): void
}

export interface Runtime {
  /** Rejects with RunError when the program cannot be started. */
  start(spec: RunSpec): Promise<Run>
  /** What became of a run that an agent before this one started in `runDir`. */
  find(runDir: string): Promise<Run | RunEnd | 'neverStarted'>
  /** Starts a command beside the container whose run is in `spec.runDir`. Rejects with RunError when it cannot start. */
  open(spec: RunSpec): Promise<Command>
  /** Runs one command beside a container, e.g. for a probe; kills it after `timeoutMs` or with the run. Rejects with RunError when it cannot start. */
  execute(
    spec: RunSpec,
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; isTimedOut: boolean }>
}

/** A program that cannot be started: a kubelet's StartError, exit code 128. */
export class RunError extends Error {
  override readonly name = 'RunError'
  readonly code = 'CANNOT_START'
}

export const runFiles = {
  script: 'run.sh',
  pid: 'pid',
  exit: 'exit',
  stdout: 'stdout',
  stderr: 'stderr',
} as const
