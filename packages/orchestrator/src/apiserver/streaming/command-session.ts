// The streams of one exec or attach, over whichever wire the client chose. Both wires carry the same: standard streams, sizes of the
// terminal as JSON, and at the end a Status that says how the command ended.
import { finished, type Duplex, type Readable } from 'node:stream'
import { ApiError } from '../../client/api-client.ts'
import type { Json } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import type { CommandStreams, TerminalSize } from '../node-connections.ts'
import type { Exchange } from '../wire/exchange.ts'
import { ChannelSocket, channelProtocols } from './channel-socket.ts'
import { SpdyConnection, type SpdyStream } from './spdy-connection.ts'
import { upgradeKind, upgradeToSpdy, upgradeToWebSocket } from './upgrade.ts'

export interface CommandRequest {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

export interface CommandSession {
  readonly streams: CommandStreams
  /** Sends what is left of the output, then the Status, and ends the connection. */
  finish(status: Json): Promise<void>
}

/** One connection's ends, before they are told apart by direction. */
interface Wire {
  readonly protocol: string
  readonly streams: Readonly<Partial<Record<StreamName, Duplex>>>
  readonly closed: Promise<void>
  end(): void
}

const streamNames = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const
type StreamName = (typeof streamNames)[number]

const openTimeoutMs = 30_000
const resizeBytesMax = 64 * 1024
/** From this version on the error stream carries a Status; before, a text. */
const statusProtocols = new Set(['v5.channel.k8s.io', 'v4.channel.k8s.io'])

/** Throws ApiError where the request asks for no upgrade or for no stream. */
export const openCommandSession = async (
  exchange: Exchange,
  asked: CommandRequest,
): Promise<CommandSession> => {
  const request = { ...asked, stderr: asked.stderr && !asked.tty }
  if (!request.stdin && !request.stdout && !request.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  }
  const kind = upgradeKind(exchange)
  const wire =
    kind === 'spdy' ? await openSpdy(exchange, request) : await openChannels(exchange, request)
  return sessionOver(wire, request)
}

const wantedStreams = ({ stdin, stdout, stderr, tty }: CommandRequest): Set<StreamName> => {
  const wanted = new Set<StreamName>(['error'])
  if (stdin) wanted.add('stdin')
  if (stdout) wanted.add('stdout')
  if (stderr) wanted.add('stderr')
  if (tty) wanted.add('resize')
  return wanted
}

/** Each stream is opened by the client and says what it is; all must be there before anything begins. */
const openSpdy = async (exchange: Exchange, request: CommandRequest): Promise<Wire> => {
  const { transport, protocol } = upgradeToSpdy(exchange, channelProtocols)
  const missing = wantedStreams(request)
  // The oldest protocols know no resizing.
  if (!statusProtocols.has(protocol) && protocol !== 'v3.channel.k8s.io') missing.delete('resize')
  const streams: Partial<Record<StreamName, SpdyStream>> = {}
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => transport.destroy(), openTimeoutMs)
    const connection = new SpdyConnection(transport, (stream) => {
      const name = streamNames.find((one) => one === stream.headers.get('streamtype'))
      if (name === undefined || streams[name] !== undefined) {
        stream.destroy()
        return
      }
      streams[name] = stream
      missing.delete(name)
      if (missing.size > 0) return
      clearTimeout(timer)
      resolve({ protocol, streams, closed: connection.closed, end: () => connection.end() })
    })
    const closedEarly = async (): Promise<void> => {
      await connection.closed
      clearTimeout(timer)
      reject(badRequest('the client closed the connection before it opened all streams'))
    }
    void closedEarly()
  })
}

const openChannels = async (exchange: Exchange, request: CommandRequest): Promise<Wire> => {
  const { socket, protocol } = await upgradeToWebSocket(exchange, channelProtocols)
  const channels = new ChannelSocket(socket, protocol, streamNames.length)
  const streams: Partial<Record<StreamName, Duplex>> = {}
  for (const name of wantedStreams(request)) {
    streams[name] = channels.channel(streamNames.indexOf(name))
  }
  // An empty message tells the client that the connection stands.
  const first = request.stdout ? 'stdout' : request.stderr ? 'stderr' : 'error'
  streams[first]?.write(Buffer.alloc(0))
  return { protocol, streams, closed: channels.closed, end: () => channels.end() }
}

const sessionOver = (
  { protocol, streams, closed, end }: Wire,
  { tty }: CommandRequest,
): CommandSession => {
  const gone = new AbortController()
  void closed.then(() => gone.abort())
  const { stdin, stdout, stderr, error, resize } = streams
  const sizes = new TerminalSizes(resize)
  return {
    streams: {
      stdin,
      stdout,
      stderr,
      tty,
      onResize: (listener) => sizes.listen(listener),
      signal: gone.signal,
    },
    finish: async (status) => {
      const text = statusText(protocol, status)
      await Promise.all([stdout, stderr].map(endOf))
      if (text !== '') error?.write(text)
      await Promise.all([error, stdin, resize].map(endOf))
      end()
    },
  }
}

/** Resolves when all that was written is on its way, or when the client has gone. */
const endOf = async (stream: Duplex | undefined): Promise<void> => {
  if (stream === undefined || stream.destroyed) return
  stream.end()
  // A stream that broke has no more to send.
  await new Promise<void>((resolve) => {
    finished(stream, { readable: false }, () => resolve())
  })
}

const statusText = (protocol: string, status: Json): string => {
  if (statusProtocols.has(protocol)) return JSON.stringify(status)
  const isFailure = typeof status === 'object' && status !== null && 'message' in status
  return isFailure && typeof status.message === 'string' ? status.message : ''
}

/** Sizes come as JSON objects one after the other; a listener that comes late gets the last one. */
class TerminalSizes {
  #last: TerminalSize | undefined
  #listener: ((size: TerminalSize) => void) | undefined
  #rest = ''

  constructor(stream: Readable | undefined) {
    stream?.on('data', (chunk: Buffer) => {
      this.#receive(chunk.toString('utf8'))
    })
  }

  listen(listener: (size: TerminalSize) => void): void {
    this.#listener = listener
    if (this.#last !== undefined) listener(this.#last)
  }

  #receive(text: string): void {
    this.#rest = (this.#rest + text).slice(-resizeBytesMax)
    for (;;) {
      const end = this.#rest.indexOf('}')
      if (end === -1) return
      const size = parseSize(this.#rest.slice(0, end + 1))
      this.#rest = this.#rest.slice(end + 1)
      if (size === undefined) continue
      this.#last = size
      this.#listener?.(size)
    }
  }
}

const sideMax = 0xffff

const parseSize = (text: string): TerminalSize | undefined => {
  const width = Number(/"width"\s*:\s*(\d{1,6})/i.exec(text)?.[1])
  const height = Number(/"height"\s*:\s*(\d{1,6})/i.exec(text)?.[1])
  const isSide = (side: number): boolean => side > 0 && side <= sideMax
  return isSide(width) && isSide(height) ? { columns: width, rows: height } : undefined
}

/** How a command ended, as the Status of the error stream. */
export const commandStatus = (exitCode: number): Json =>
  exitCode === 0
    ? { metadata: {}, status: 'Success' }
    : {
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: exit status ${exitCode}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
      }

/** A command that could not be run, as the Status of the error stream. */
export const failureStatus = (reason: unknown): Json => {
  if (reason instanceof ApiError) {
    return { metadata: {}, status: 'Failure', message: reason.message, reason: reason.reason }
  }
  const text = reason instanceof Error ? reason.message : String(reason)
  const message = `Internal error occurred: error executing command in container: ${text}`
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 }
}
