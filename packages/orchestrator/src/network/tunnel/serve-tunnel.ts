// The agent's end of a tunnel: each call of the apiserver is a stream of the session, answered by the node's connection.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { finished, PassThrough, type Writable } from 'node:stream'
import { ApiError } from '../../client/api-client.ts'
import type {
  CommandStreams,
  NodeConnection,
  TerminalSize,
} from '../../apiserver/node-connections.ts'
import {
  encodeJsonFrame,
  type Frame,
  FrameWriter,
  readFrames,
  requestChannel,
  resizeChannel,
  resultChannel,
  stderrChannel,
  stdinChannel,
  stdoutChannel,
} from './frames.ts'
import { podOf } from './pod-relay.ts'
import {
  argumentsHeader,
  type CallResult,
  type CommandCall,
  type DialCall,
  type LogCall,
  type VolumeCall,
} from './tunnel-protocol.ts'

interface Call {
  readonly stream: ServerHttp2Stream
  readonly arguments: unknown
  readonly node: NodeConnection
  /** Aborted when the apiserver takes the call back, or the tunnel breaks. */
  readonly signal: AbortSignal
}

/** Until the session ends. */
export const serveTunnel = (session: ServerHttp2Session, node: NodeConnection): void => {
  session.on('stream', (stream, headers) => {
    // Followed by 'close'.
    stream.on('error', () => undefined)
    const gone = new AbortController()
    stream.once('close', () => gone.abort())
    const text = Buffer.from(String(headers[argumentsHeader] ?? ''), 'base64url').toString('utf8')
    void answer(headers[':path'] ?? '', text, { stream, node, signal: gone.signal })
  })
}

const methods: Readonly<Record<string, (call: Call) => Promise<CallResult>>> = {
  '/log': (call) => readLog(call),
  '/exec': (call) => runCommand(call, 'exec'),
  '/attach': (call) => runCommand(call, 'attach'),
  '/stats': async ({ node }) => ({ value: await node.stats?.() }),
  '/remove-volume': async ({ node, arguments: given }) => {
    await node.removeVolume?.((given as VolumeCall).path)
    return {}
  },
}

/** Never rejects. */
const answer = async (path: string, text: string, call: Omit<Call, 'arguments'>): Promise<void> => {
  const { stream } = call
  let result: CallResult
  try {
    const whole: Call = { ...call, arguments: JSON.parse(text) }
    if (path === '/dial') {
      await dial(whole)
      return
    }
    const method = Object.hasOwn(methods, path) ? methods[path] : undefined
    if (method === undefined) throw new Error(`the agent knows no call ${path}`)
    if (!stream.destroyed) stream.respond({ ':status': constants.HTTP_STATUS_OK })
    result = await method(whole)
  } catch (reason) {
    result = { error: errorOf(reason) }
  }
  if (stream.destroyed) return
  if (!stream.headersSent) stream.respond({ ':status': constants.HTTP_STATUS_OK })
  stream.end(encodeJsonFrame(resultChannel, result))
}

const errorOf = (reason: unknown): CallResult['error'] & object => {
  const message = reason instanceof Error ? reason.message : String(reason)
  return reason instanceof ApiError
    ? { code: reason.code, reason: reason.reason, message }
    : { code: 0, reason: '', message }
}

const readLog = async ({ arguments: given, stream, node, signal }: Call): Promise<CallResult> => {
  const { pod, options } = given as LogCall
  const output = new FrameWriter(stream, stdoutChannel)
  for await (const chunk of node.readLog(podOf(pod), options, signal)) {
    if (signal.aborted) break
    if (!output.write(chunk)) await drained(output)
  }
  await ended(output)
  return {}
}

const runCommand = async (call: Call, method: 'exec' | 'attach'): Promise<CallResult> => {
  const { stream, node, signal } = call
  const frames = readFrames(stream)
  const first = await frames.next()
  if (first.done === true || first.value.channel !== requestChannel)
    throw new Error('the call says nothing')
  const asked = JSON.parse(first.value.bytes.toString('utf8')) as CommandCall
  const stdin = asked.stdin ? new PassThrough() : undefined
  const stdout = asked.stdout ? new FrameWriter(stream, stdoutChannel) : undefined
  const stderr = asked.stderr ? new FrameWriter(stream, stderrChannel) : undefined
  const sizes = new Sizes()
  void takeIn(frames, stdin, sizes)
  const streams: CommandStreams = {
    stdin,
    stdout,
    stderr,
    tty: asked.tty,
    onResize: (listener) => sizes.listen(listener),
    signal,
  }
  const { container, command } = asked
  const pod = podOf(asked.pod)
  const exitCode =
    method === 'exec'
      ? await node.exec?.(pod, { container, command }, streams)
      : await node.attach?.(pod, { container }, streams)
  await Promise.all([stdout, stderr].map(ended))
  return typeof exitCode === 'number' ? { exitCode } : {}
}

/** What the client says while the command runs. Never rejects: a tunnel that breaks aborts the call. */
const takeIn = async (
  frames: AsyncIterator<Frame>,
  stdin: PassThrough | undefined,
  sizes: Sizes,
): Promise<void> => {
  try {
    for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
      const { channel, bytes } = next.value
      if (channel === resizeChannel) sizes.set(JSON.parse(bytes.toString('utf8')) as TerminalSize)
      if (channel !== stdinChannel || stdin === undefined) continue
      if (bytes.length === 0) stdin.end()
      else if (!stdin.destroyed && !stdin.write(bytes)) await drained(stdin)
    }
  } catch {
    stdin?.destroy()
  }
}

const dial = async ({ arguments: given, stream, node }: Call): Promise<void> => {
  const { pod, port } = given as DialCall
  try {
    if (node.dial === undefined) throw new Error('the node does not serve ports')
    const socket = await node.dial(podOf(pod), port)
    if (stream.destroyed) {
      socket.destroy()
      return
    }
    stream.respond({ ':status': constants.HTTP_STATUS_OK })
    socket.on('error', () => stream.close(constants.NGHTTP2_CONNECT_ERROR))
    stream.once('close', () => socket.destroy())
    socket.pipe(stream)
    stream.pipe(socket)
  } catch (reason) {
    if (stream.destroyed) return
    stream.respond({ ':status': constants.HTTP_STATUS_BAD_GATEWAY })
    stream.end(reason instanceof Error ? reason.message : String(reason))
  }
}

/** A listener that comes late gets the last one. */
class Sizes {
  #last: TerminalSize | undefined
  #listener: ((size: TerminalSize) => void) | undefined

  set(size: TerminalSize): void {
    this.#last = size
    this.#listener?.(size)
  }

  listen(listener: (size: TerminalSize) => void): void {
    this.#listener = listener
    if (this.#last !== undefined) listener(this.#last)
  }
}

const drained = (output: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      output.removeListener('drain', done)
      output.removeListener('close', done)
      resolve()
    }
    output.on('drain', done)
    output.on('close', done)
    if (output.destroyed) done()
  })

/** All that was written is on its way, or its reader has gone. */
const ended = async (output: Writable | undefined): Promise<void> => {
  if (output === undefined || output.destroyed) return
  output.end()
  // A reader that has gone ends it too.
  await new Promise<void>((resolve) => {
    finished(output, () => resolve())
  })
}
