// The apiserver's end of a tunnel: what it asks of the agent on the other side.
import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { Duplex, Writable } from 'node:stream'
import { ApiError } from '../../client/api-client.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { drained } from '../../agent/streams/drained.ts'
import { internalError } from '../../apiserver/api-errors.ts'
import type {
  CommandStreams,
  NodeConnection,
  NodeStats,
  PodLogOptions,
  TerminalSize,
} from '../../apiserver/node-connections.ts'
import { readResult, readStats } from './agent-answers.ts'
import { bytesOver } from './bytes-over.ts'
import {
  encodeJsonFrame,
  FrameWriter,
  readFrames,
  requestChannel,
  resizeChannel,
  resultChannel,
  stderrChannel,
  stdinChannel,
  stdoutChannel,
} from './frames.ts'
import {
  argumentsHeader,
  type CallError,
  type CallResult,
  type CommandCall,
  type DialCall,
  type LogCall,
  podNameOf,
  type VolumeCall,
} from './tunnel-protocol.ts'

const answerTimeoutMs = 30_000
const errorBytesMax = 64 * 1024

type AnyPod = Stored<KubeObject>

export class RemoteNode implements NodeConnection {
  readonly #session: ClientHttp2Session
  readonly #name: string

  constructor(session: ClientHttp2Session, name: string) {
    this.#session = session
    this.#name = name
  }

  async *readLog(
    pod: AnyPod,
    options: PodLogOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const call: LogCall = { pod: podNameOf(pod), options }
    const stream = this.#call('log', call)
    const stop = cancelOn(stream, signal)
    try {
      stream.end()
      for await (const { channel, bytes } of this.#frames(stream, signal)) {
        if (channel === stdoutChannel) yield bytes
      }
    } finally {
      stop()
    }
  }

  async exec(
    pod: AnyPod,
    { container, command }: { readonly container: string; readonly command: readonly string[] },
    streams: CommandStreams,
  ): Promise<number> {
    const { exitCode } = await this.#command('exec', { pod, container, command }, streams)
    if (exitCode === undefined) throw this.#broken()
    return exitCode
  }

  async attach(
    pod: AnyPod,
    { container }: { readonly container: string },
    streams: CommandStreams,
  ): Promise<void> {
    await this.#command('attach', { pod, container, command: [] }, streams)
  }

  async dial(pod: AnyPod, port: number): Promise<Duplex> {
    const call: DialCall = { pod: podNameOf(pod), port }
    const stream = this.#call('dial', call)
    const timer = setTimeout(() => stream.destroy(), answerTimeoutMs)
    try {
      const headers = await new Promise<{ readonly ':status'?: number }>((resolve, reject) => {
        stream.once('response', resolve)
        stream.once('close', () => reject(this.#broken()))
      })
      if (headers[':status'] === constants.HTTP_STATUS_OK) return bytesOver(stream)
      throw new Error(await textOf(stream))
    } finally {
      clearTimeout(timer)
    }
  }

  async stats(): Promise<NodeStats> {
    const stats = readStats((await this.#answer('stats', {})).value)
    if (stats === undefined) throw internalError(`node ${this.#name} does not tell what it uses`)
    return stats
  }

  async removeVolume(path: string): Promise<void> {
    const call: VolumeCall = { path }
    await this.#answer('remove-volume', call)
  }

  #call(method: string, call: object): ClientHttp2Stream {
    if (this.#session.destroyed || this.#session.closed) throw this.#broken()
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/${method}`,
      [argumentsHeader]: Buffer.from(JSON.stringify(call)).toString('base64url'),
    })
    // Followed by 'close'.
    stream.on('error', () => undefined)
    return stream
  }

  async #answer(method: string, call: object): Promise<CallResult> {
    const stream = this.#call(method, call)
    const signal = AbortSignal.timeout(answerTimeoutMs)
    const stop = cancelOn(stream, signal)
    try {
      stream.end()
      const frames = this.#frames(stream, undefined)
      for (;;) {
        const next = await frames.next()
        if (next.done === true) return next.value
      }
    } finally {
      stop()
    }
  }

  async #command(
    method: 'exec' | 'attach',
    {
      pod,
      container,
      command,
    }: {
      readonly pod: AnyPod
      readonly container: string
      readonly command: readonly string[]
    },
    { stdin, stdout, stderr, tty, onResize, signal }: CommandStreams,
  ): Promise<CallResult> {
    const stream = this.#call(method, {})
    const stop = cancelOn(stream, signal)
    const call: CommandCall = {
      pod: podNameOf(pod),
      container,
      command,
      stdin: stdin !== undefined,
      stdout: stdout !== undefined,
      stderr: stderr !== undefined,
      tty,
    }
    stream.write(encodeJsonFrame(requestChannel, call))
    const input = new FrameWriter(stream, stdinChannel)
    stdin?.pipe(input)
    sendSizes(stream, onResize)
    const outputs = new Map<number, Writable | undefined>([
      [stdoutChannel, stdout],
      [stderrChannel, stderr],
    ])
    try {
      const frames = this.#frames(stream, signal)
      for (;;) {
        const next = await frames.next()
        if (next.done === true) return next.value
        const output = outputs.get(next.value.channel)
        if (output !== undefined && next.value.bytes.length > 0)
          await writeTo(output, next.value.bytes, signal)
      }
    } finally {
      stop()
      stdin?.unpipe(input)
      stream.close()
    }
  }

  /** All frames but the last one, whose result it returns or throws. A call that was cancelled ends like one that is complete. */
  async *#frames(
    stream: ClientHttp2Stream,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly channel: number; readonly bytes: Buffer }, CallResult> {
    try {
      for await (const frame of readFrames(stream)) {
        if (frame.channel !== resultChannel) {
          yield frame
          continue
        }
        const result = readResult(frame.bytes)
        if (result === undefined) throw this.#broken()
        if (result.error !== undefined) throw errorOf(result.error)
        return result
      }
    } catch (reason) {
      if (signal?.aborted === true) return {}
      // The stream was cut off, of which Node speaks in words of its own.
      if (reason instanceof Error && 'code' in reason && typeof reason.code === 'string')
        throw this.#broken(reason)
      throw reason
    }
    if (signal?.aborted === true) return {}
    throw this.#broken()
  }

  #broken(cause?: unknown): ApiError {
    const error = internalError(`the connection to the agent of node ${this.#name} broke`)
    error.cause = cause
    return error
  }
}

const cancelOn = (stream: ClientHttp2Stream, signal: AbortSignal): (() => void) => {
  const cancel = (): void => stream.close(constants.NGHTTP2_CANCEL)
  signal.addEventListener('abort', cancel)
  if (signal.aborted) cancel()
  return () => signal.removeEventListener('abort', cancel)
}

const errorOf = ({ code, reason, message }: CallError): Error =>
  code === 0 ? new Error(message) : new ApiError(code, reason, message)

/** Of the sizes that a terminal takes while the agent takes nothing only the last one is kept. */
const sendSizes = (stream: ClientHttp2Stream, onResize: CommandStreams['onResize']): void => {
  let waiting: TerminalSize | undefined
  const send = (size: TerminalSize): void => {
    if (stream.destroyed || stream.writableEnded) return
    if (stream.writableNeedDrain) waiting = size
    else stream.write(encodeJsonFrame(resizeChannel, size))
  }
  stream.on('drain', () => {
    const size = waiting
    waiting = undefined
    if (size !== undefined) send(size)
  })
  onResize(send)
}

/** A reader that has gone takes everything. */
const writeTo = async (output: Writable, bytes: Buffer, signal: AbortSignal): Promise<void> => {
  if (output.destroyed || output.writableEnded || output.write(bytes)) return
  await drained(output, signal)
}

const textOf = async (stream: ClientHttp2Stream): Promise<string> => {
  let text = ''
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8')
    if (text.length > errorBytesMax) break
  }
  return text
}
