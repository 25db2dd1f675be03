// A command beside a container, with its streams open: what exec runs. It has a process group of its own and carries the mark of the
// container's run, so that it ends with the container at the latest.
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { findExecutable } from './find-executable.ts'
import { runMark } from './run-leavers.ts'
import { RunError, type Command, type RunSpec } from './runtime.ts'
import { onTerminal, terminalSizer } from './terminal.ts'

const signalBase = 128
/** How long output is waited for when the program has ended but something it left behind holds the pipe. */
const drainMs = 500

/** Rejects with RunError when it cannot be started. */
export async function openCommand(spec: RunSpec): Promise<Command> {
  const [name = '', ...args] = spec.argv
  const file = await findExecutable(name, spec.env['PATH'] ?? '', spec.cwd)
  const isOnTerminal = spec.terminal === true
  const direct = { argv: [file, ...args], env: spec.env }
  const { argv, env } = isOnTerminal ? await onTerminal(direct.argv, spec.env) : direct
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd: spec.cwd,
    env: { ...env, [runMark]: spec.runDir },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = exitOf(child, [child.stdout, child.stderr])
  // Who writes to a program that reads no more learns it from the program's end.
  child.stdin.on('error', () => child.stdin.destroy())
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => {
      reject(new RunError(cause.message, { cause }))
    })
  })
  const pid = child.pid ?? 0
  const resize = terminalSizer(pid)
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    resize: (size) => {
      if (isOnTerminal) resize(size)
    },
    kill: () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
    },
  }
}

async function exitOf(child: ChildProcess, outputs: readonly Readable[]): Promise<number> {
  const exitCode = await new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? signalBase + constants.signals[signal ?? 'SIGKILL'])
    })
  })
  await Promise.all(outputs.map(drained))
  return exitCode
}

/** Resolves when the output has ended, or says nothing more though its reader would take it. */
async function drained(output: Readable): Promise<void> {
  let isIdle = false
  const moved = (): void => {
    isIdle = false
  }
  const closed = new Promise<void>((resolve) => {
    output.once('close', resolve)
  })
  output.on('data', moved)
  while (!output.closed) {
    isIdle = !output.isPaused() && output.readableLength === 0
    await Promise.race([closed, delay(drainMs)])
    if (isIdle) output.destroy()
  }
}
