// Runs containers as plain processes of the host: each run is a process group of its own under a small shell that keeps its exit code
// (run-script.ts). Runs survive the agent. A process that leaves the group (setsid) escapes; cgroups would hold it.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findExecutable } from './find-executable.ts'
import { isMissing, runsScript } from './process-identity.ts'
import { runScript } from './run-script.ts'
import {
  RunError,
  runFiles,
  type Run,
  type RunEnd,
  type RunSpec,
  type Runtime,
  type StopSignal,
} from './runtime.ts'

const shell = '/bin/sh'
/** How often a run that is no child of this agent is looked at. */
const adoptedPollMs = 250
const executeOutputBytesMax = 10_240
const killedExitCode = 137

export class ProcessRuntime implements Runtime {
  async start(spec: RunSpec): Promise<Run> {
    const [command = '', ...args] = spec.argv
    const file = await findExecutable(command, spec.env['PATH'] ?? '', spec.cwd)
    await mkdir(spec.runDir, { recursive: true, mode: 0o700 })
    const scriptPath = join(spec.runDir, runFiles.script)
    const script = runScript({
      argv: [file, ...args],
      env: spec.env,
      pidPath: join(spec.runDir, runFiles.pid),
      exitPath: join(spec.runDir, runFiles.exit),
    })
    await writeFile(scriptPath, script, { mode: 0o600 })
    const child = await this.#spawn(spec, scriptPath)
    const pid = child.pid ?? 0
    const exited = new Promise<RunEnd>((resolve) => {
      child.once('exit', () => {
        signalGroup(pid, 'SIGKILL')
        readEnd(spec.runDir).then(
          (end) => resolve(end ?? unseenEnd()),
          () => resolve(unseenEnd()),
        )
      })
    })
    return {
      pid,
      exited,
      signal: (signal) => {
        if (child.exitCode === null && child.signalCode === null) signalGroup(pid, signal)
      },
      detach: () => {
        child.removeAllListeners('exit')
        child.unref()
      },
    }
  }

  async #spawn(spec: RunSpec, scriptPath: string): Promise<ChildProcess> {
    const stdout = await open(join(spec.runDir, runFiles.stdout), 'a', 0o600)
    const stderr = await open(join(spec.runDir, runFiles.stderr), 'a', 0o600)
    try {
      const child = spawn(shell, [scriptPath], {
        cwd: spec.cwd,
        env: { ...spec.env },
        detached: true,
        stdio: ['ignore', stdout.fd, 'ignore', stderr.fd],
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', (cause) => reject(new RunError(cause.message, { cause })))
      })
      return child
    } finally {
      await stdout.close()
      await stderr.close()
    }
  }

  async find(runDir: string): Promise<Run | RunEnd | 'neverStarted'> {
    const pid = await readNumber(join(runDir, runFiles.pid))
    if (pid === undefined) return (await readEnd(runDir)) ?? 'neverStarted'
    const scriptPath = join(runDir, runFiles.script)
    if (await runsScript(pid, scriptPath)) return adopt(pid, runDir, scriptPath)
    return (await readEnd(runDir)) ?? unseenEnd()
  }

  async execute(
    spec: Omit<RunSpec, 'runDir'>,
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; isTimedOut: boolean }> {
    const [command = '', ...args] = spec.argv
    const file = await findExecutable(command, spec.env['PATH'] ?? '', spec.cwd)
    const child = spawn(file, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
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

/** A run whose parent died: nobody tells us its end, so we look. */
function adopt(pid: number, runDir: string, scriptPath: string): Run {
  let timer: NodeJS.Timeout | undefined
  let isEnded = false
  const exited = new Promise<RunEnd>((resolve) => {
    const look = (): void => {
      runsScript(pid, scriptPath)
        .then(async (isRunning) => {
          if (isRunning) {
            timer = setTimeout(look, adoptedPollMs)
            return
          }
          isEnded = true
          resolve((await readEnd(runDir)) ?? unseenEnd())
        })
        .catch(() => {
          timer = setTimeout(look, adoptedPollMs)
        })
    }
    timer = setTimeout(look, adoptedPollMs)
  })
  return {
    pid,
    exited,
    signal: (signal) => {
      if (!isEnded) signalGroup(pid, signal)
    },
    detach: () => clearTimeout(timer),
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
