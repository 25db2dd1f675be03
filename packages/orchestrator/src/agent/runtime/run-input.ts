// The standard input of a run that asks for one: a named pipe in the run's folder, so that clients can attach to it one after the other.
// The agent holds its writing end; where input must outlast the agent, the run's own shell holds it too (run-script.ts).
import { execFile } from 'node:child_process'
import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { promisify } from 'node:util'

const pipeName = 'stdin'

export const inputPath = (runDir: string): string => join(runDir, pipeName)

export class RunInput {
  readonly #socket: Socket
  #wasAttached = false

  private constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true })
    // The program has gone or takes no more.
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.unref()
  }

  /** The pipe, and its reading end for the program; close that one when the program has it. */
  static async make(runDir: string): Promise<{ input: RunInput; reader: FileHandle }> {
    const path = inputPath(runDir)
    // What is left of a run that never began.
    await rm(path, { force: true })
    await promisify(execFile)('mkfifo', ['-m', '600', path])
    // Either end alone would wait for the other.
    const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      const reader = await open(path, constants.O_RDONLY)
      return { input: RunInput.#open(path), reader }
    } finally {
      closeSync(both)
    }
  }

  /** Of a run that another agent started; undefined when it has none, or its end was closed. */
  static find(runDir: string): RunInput | undefined {
    const path = inputPath(runDir)
    if (!existsSync(path)) return undefined
    try {
      return RunInput.#open(path)
    } catch (reason) {
      if (reason instanceof Error && 'code' in reason && reason.code === 'ENXIO') return undefined
      throw reason
    }
  }

  static #open(path: string): RunInput {
    return new RunInput(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
  }

  get writer(): Writable {
    return this.#socket
  }

  /** Whether this is the first client that attaches. */
  attach(): boolean {
    const isFirst = !this.#wasAttached
    this.#wasAttached = true
    return isFirst
  }

  /** The program reads the end once what was written is read. */
  close(): void {
    this.#socket.end()
  }
}
