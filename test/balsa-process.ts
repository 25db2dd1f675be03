// Runs the `balsa` command as users do: a process of its own, its output collected, killed at the end.
import { spawn, execFile, type ChildProcess } from 'node:child_process'
import { promisify } from 'node:util'
import { balsaMain } from './tools.ts'

/** Polls until `condition` gives something else than undefined or false; fails with what it was after `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== undefined && value !== false) return value
    } catch (reason) {
      last = reason
    }
    if (performance.now() > deadline) {
      throw new Error(`timed out waiting for ${what}`, { cause: last })
    }
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; never rejects for an exit code. */
export async function run(
  program: string,
  argv: readonly string[],
  options: { input?: string; env?: Record<string, string>; cwd?: string; timeoutMs?: number } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      argv,
      {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        timeout: options.timeoutMs ?? 60_000,
        maxBuffer: 64 << 20,
      },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number' && error.signal === undefined) {
          reject(error)
        } else resolve({ code: child.exitCode, stdout, stderr })
      },
    )
    // A command that reads no input may be gone before it is written.
    child.stdin?.on('error', () => child.stdin?.destroy())
    child.stdin?.end(options.input ?? '')
  })
}

export const runBalsa = (
  argv: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Finished> => run(process.execPath, [balsaMain, ...argv], options)

const running = new Set<BalsaProcess>()

/** Ends what tests have left running, however they ended; for afterAll. */
export async function stopBalsaProcesses(): Promise<void> {
  await Promise.all([...running].map((each) => each.stop()))
}

/** A `balsa` that stays: `up` or `member`. */
export class BalsaProcess {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | string>

  constructor(
    argv: readonly string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ) {
    this.child = spawn(process.execPath, [balsaMain, ...argv], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    running.add(this)
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        running.delete(this)
        resolve(code ?? signal ?? 'unknown')
      })
    })
  }

  /** Waits until `balsa up` says that it is up; returns the milliseconds since the call. */
  async ready(text = 'balsa is up'): Promise<number> {
    const startedAt = performance.now()
    await waitFor(`"${text}" from balsa; stderr: ${this.stderr}`, () => {
      if (this.child.exitCode !== null) {
        throw new Error(`balsa ended with ${this.child.exitCode}: ${this.stderr}`)
      }
      return this.stdout.includes(text) || this.stderr.includes(text)
    })
    return performance.now() - startedAt
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    return this.exited
  }
}

export const execFileText = promisify(execFile)
