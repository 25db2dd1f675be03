// A program of a hunt: a process that is killed without a goodbye, and started again on what it left.
import { spawn, type ChildProcess } from 'node:child_process'

const errorCharactersMax = 20_000
/** As a service manager waits before it starts again what ended. */
const restartMs = 1000
/** A copy that starts while the store is away gives up, and says so. */
const excuse = /no server answered|connection lost|no leader|timed out|deadline exceeded/i

export class Program {
  readonly name: string
  readonly #command: string
  readonly #argv: readonly string[]
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #restart: NodeJS.Timeout | undefined
  /** What it said on standard error last, in all its lives. */
  errors = ''
  /** How it ended when nobody had killed it, and the store was there. */
  readonly deaths: string[] = []

  constructor(name: string, command: string, argv: readonly string[]) {
    this.name = name
    this.#command = command
    this.#argv = argv
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  start(): void {
    if (this.#child !== undefined) return
    const child = spawn(this.#command, this.#argv, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-errorCharactersMax)
    })
    this.#child = child
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve()
        if (this.#child !== child) return
        const last = this.errors.trim().split('\n').at(-1) ?? ''
        if (!excuse.test(last))
          this.deaths.push(`${this.name} ended by itself (${signal ?? code}): ${last}`)
        this.#restart = setTimeout(() => {
          this.#child = undefined
          this.start()
        }, restartMs)
      })
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    clearTimeout(this.#restart)
    this.#child = undefined
    child?.kill('SIGKILL')
    await this.#exited
  }

  /** Stands still, and goes on as if no time had passed. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }
  resume(): void {
    this.#child?.kill('SIGCONT')
  }
}
