// Runs containers as plain processes of the host: each run is a process group of its own under a small shell that keeps its exit code
// (run-script.ts). Runs survive the agent. Processes that left the group are found by their environment when the run ends (run-leavers.ts).
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findExecutable } from './find-executable.ts'
import { openCommand } from './process-command.ts'
import { isMissing, runsScript } from './process-identity.ts'
import { inputPath, RunInput } from './run-input.ts'
import { RunLeavers, runMark } from './run-leavers.ts'
import { runScript } from './run-script.ts'
import {
  RunError,
  runFiles,
  type Command,
  type Run,
  type RunEnd,
  type RunSpec,
  type Runtime,
  type StopSignal,
} from './runtime.ts'
import { onTerminal } from './terminal.ts'

const shell = '/bin/sh'
/** How often a run that is no child of this agent is looked at. */
const adoptedPollMs = 250
const startPollMs = 50
const startTriesMax = 20
const executeOutputBytesMax = 10_240
const signalBase = 128
const killedExitCode = 137

export class ProcessRuntime implements Runtime {
  readonly #leavers = new RunLeavers()

  async start(spec: RunSpec): Promise<Run> {
    const [command = '', ...args] = spec.argv
    const file = await findExecutable(command, spec.env['PATH'] ?? '', spec.cwd)
    const isOnTerminal = spec.terminal === true
    const direct = { argv: [file, ...args], env: spec.env }
    const { argv, env } = isOnTerminal ? await onTerminal(direct.argv, spec.env) : direct
    await mkdir(spec.runDir, { recursive: true, mode: 0o700 })
    const scriptPath = join(spec.runDir, runFiles.script)
    // A terminal without input is open all the same: its end would be told to the program.
    const hasInput = spec.input !== undefined || isOnTerminal
    const script = runScript({
      argv,
      env,
      pidPath: join(spec.runDir, runFiles.pid),
      exitPath: join(spec.runDir, runFiles.exit),
      inputPath: hasInput && spec.input !== 'once' ? inputPath(spec.runDir) : undefined,
    })
    await writeFile(scriptPath, script, { mode: 0o600 })
    const pipe = hasInput ? await RunInput.make(spec.runDir) : undefined
    const stdout = await open(join(spec.runDir, runFiles.stdout), 'a', 0o600)
    const stderr = await open(join(spec.runDir, runFiles.stderr), 'a', 0o600)
    try {
      const child = spawn(shell, [scriptPath], {
        cwd: spec.cwd,
        env: { ...env, [runMark]: spec.runDir },
        detached: true,
        stdio: [pipe?.reader.fd ?? 'ignore', stdout.fd, 'ignore', stderr.fd],
      })
      // Before anything is awaited: a short run may be over by then.
      const run = runOf(child, spec.runDir, this.#leavers, pipe?.input)
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', (cause) => reject(new RunError(cause.message, { cause })))
      })
      return run
    } finally {
      await pipe?.reader.close()
      await stdout.close()
      await stderr.close()
    }
  }

  async find(runDir: string): Promise<Run | RunEnd | 'neverStarted'> {
    const scriptPath = join(runDir, runFiles.script)
    const pid = await this.#startedPid(runDir, scriptPath)
    if (pid === undefined) return 'neverStarted'
    if (await runsScript(pid, scriptPath)) return adopt(pid, runDir, scriptPath, this.#leavers)
    await this.#leavers.end(runDir)
    return (await readEnd(runDir)) ?? unseenEnd()
  }

  /** The agent may have died when the shell was just about to write its id: gives it time, then makes sure that it cannot start. */
  async #startedPid(runDir: string, scriptPath: string): Promise<number | undefined> {
    const pidPath = join(runDir, runFiles.pid)
    for (let tries = 0; tries < startTriesMax; tries++) {
      const pid = await readNumber(pidPath)
      if (pid !== undefined || !existsSync(scriptPath)) return pid
      await delay(startPollMs)
    }
    await rm(scriptPath, { force: true })
    return readNumber(pidPath)
  }

  open(spec: RunSpec): Promise<Command> {
    return openCommand(spec)
  }

  async execute(
    spec: RunSpec,
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; isTimedOut: boolean }> {
    const [command = '', ...args] = spec.argv
    const file = await findExecutable(command, spec.env['PATH'] ?? '', spec.cwd)
    const child = spawn(file, args, {
      cwd: spec.cwd,
      env: { ...spec.env, [runMark]: spec.runDir },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        output = (output + text).slice(0, executeOutputBytesMax)
      })
    }
    return new Promise((resolve, reject) => {
      let isTimedOut = false
      const timer = setTimeout(() => {
        isTimedOut = true
        signalGroup(child.pid ?? 0, 'SIGKILL')
      }, timeoutMs)
      child.once('error', (cause) => {
        clearTimeout(timer)
        reject(new RunError(cause.message, { cause }))
      })
      child.once('exit', (code) => {
        clearTimeout(timer)
        signalGroup(child.pid ?? 0, 'SIGKILL')
        resolve({ exitCode: code ?? killedExitCode, output, isTimedOut })
      })
    })
  }
}

/** A run of this very process. */
function runOf(
  child: ChildProcess,
  runDir: string,
  leavers: RunLeavers,
  input: RunInput | undefined,
): Run {
  const pid = child.pid ?? 0
  const exited = new Promise<RunEnd>((resolve) => {
    child.once('exit', (_code, signal) => {
      input?.close()
      signalGroup(pid, 'SIGKILL')
      // The shell itself was killed, perhaps before it began.
      const killed = {
        ...unseenEnd(),
        exitCode: signalBase + constants.signals[signal ?? 'SIGKILL'],
      }
      leavers
        .end(runDir)
        .then(() => readEnd(runDir))
        .then(
          (end) => resolve(end ?? killed),
          () => resolve(killed),
        )
    })
  })
  return {
    pid,
    input,
    exited,
    signal: (signal) => {
      if (child.exitCode === null && child.signalCode === null) signalGroup(pid, signal)
    },
    detach: () => {
      input?.close()
      child.removeAllListeners('exit')
      child.unref()
    },
  }
}

/** A run whose parent died: nobody tells us its end, so we look. */
function adopt(pid: number, runDir: string, scriptPath: string, leavers: RunLeavers): Run {
  let isOver = false
  let isDetached = false
  const watchEnd = async (): Promise<RunEnd> => {
    while (await runsScript(pid, scriptPath)) {
      await delay(adoptedPollMs)
      // Nobody waits for the end any more.
      if (isDetached) return unseenEnd()
    }
    isOver = true
    await leavers.end(runDir)
    return (await readEnd(runDir)) ?? unseenEnd()
  }
  const input = RunInput.find(runDir)
  return {
    pid,
    input,
    exited: watchEnd().finally(() => input?.close()),
    signal: (signal) => {
      if (!isOver) signalGroup(pid, signal)
    },
    detach: () => {
      isDetached = true
      input?.close()
    },
  }
}

function signalGroup(pid: number, signal: StopSignal): void {
  if (pid <= 1) return
  try {
    process.kill(-pid, signal)
  } catch (reason) {
    if (!isMissing(reason)) throw reason
  }
}

async function readEnd(runDir: string): Promise<RunEnd | undefined> {
  const path = join(runDir, runFiles.exit)
  const exitCode = await readNumber(path)
  if (exitCode === undefined) return undefined
  const { mtimeMs } = await stat(path)
  return { exitCode, finishedAtMs: Math.round(mtimeMs) }
}

/** Undefined when the file is missing, or was cut off when the machine went down. */
async function readNumber(path: string): Promise<number | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    return /^[0-9]{1,10}\n$/.test(text) ? Number(text) : undefined
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
}

const unseenEnd = (): RunEnd => ({ exitCode: killedExitCode, finishedAtMs: Date.now() })
