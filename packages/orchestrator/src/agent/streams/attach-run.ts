// Joins the streams of a client with those of a container's run itself: its output from now on, its input while the client stays. The first
// client of a container that takes input gets the output from the start, if that is not long: it was started for that client.
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { CommandStreams } from '../../apiserver/node-connections.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import type { ContainerRun } from '../pod/container-run.ts'
import { runFiles } from '../runtime/runtime.ts'
import { terminalSizer } from '../runtime/terminal.ts'
import { drained } from './drained.ts'

const chunkBytes = 64 * 1024
const replayBytesMax = 64 * 1024

/** Resolves when the run has ended and all its output is passed on, or when the client has gone. */
export async function attachRun(
  run: ContainerRun,
  container: Container,
  streams: CommandStreams,
): Promise<void> {
  const { input } = run
  const isOnce = container.stdinOnce === true
  const isFirst = input?.attach() ?? false
  if (container.tty === true) streams.onResize(terminalSizer(run.pid))
  const { stdin } = streams
  if (stdin !== undefined && input !== undefined && container.stdin === true) {
    stdin.pipe(input.writer, { end: false })
    if (isOnce) stdin.once('end', () => input.close())
  }
  const outputs = [
    await Output.open(join(run.spec.runDir, runFiles.stdout), streams.stdout, isFirst),
    await Output.open(join(run.spec.runDir, runFiles.stderr), streams.stderr, isFirst),
  ]
  try {
    await passOn(run, outputs, streams.signal)
  } finally {
    for (const output of outputs) await output.close()
    if (input !== undefined) stdin?.unpipe(input.writer)
    if (isOnce && isFirst) input?.close()
  }
}

async function passOn(
  run: ContainerRun,
  outputs: readonly Output[],
  signal: AbortSignal,
): Promise<void> {
  let isDue = true
  let wake = (): void => undefined
  const due = (): void => {
    isDue = true
    wake()
  }
  const stop = run.onOutput(due)
  signal.addEventListener('abort', due)
  try {
    while (!signal.aborted) {
      isDue = false
      // Looked at before the rest is read: what comes before the end is read then.
      const { isEnded } = run
      for (const output of outputs) await output.copy(signal)
      if (isEnded) return
      await new Promise<void>((resolve) => {
        wake = resolve
        if (isDue) resolve()
      })
    }
  } finally {
    stop()
    signal.removeEventListener('abort', due)
  }
}

/** One raw output file of a run, read as it grows. */
class Output {
  readonly #file: FileHandle
  readonly #client: Writable | undefined
  #offset: number

  private constructor(file: FileHandle, client: Writable | undefined, offset: number) {
    this.#file = file
    this.#client = client
    this.#offset = offset
  }

  static async open(
    path: string,
    client: Writable | undefined,
    fromStart: boolean,
  ): Promise<Output> {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    return new Output(file, client, fromStart && size <= replayBytesMax ? 0 : size)
  }

  async copy(signal: AbortSignal): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    // The log's writer empties a file that has become large.
    if ((await this.#file.stat()).size < this.#offset) this.#offset = 0
    while (!signal.aborted) {
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const { bytesRead } = await this.#file.read(chunk, 0, chunkBytes, this.#offset)
      if (bytesRead === 0) return
      this.#offset += bytesRead
      if (!client.write(chunk.subarray(0, bytesRead))) await drained(client, signal)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
