// Streams to a program in a pod: a WebSocket whose messages begin with the number of a channel (v5.channel.k8s.io).
import { WebSocket } from 'ws'
import { identityHeaders, statusError } from '../client/http-transport.ts'
import type { ApiSession } from './api-session.ts'

export const channels = { input: 0, output: 1, errors: 2, status: 3, size: 4 } as const
const closeChannel = 255
const protocol = 'v5.channel.k8s.io'
/** More than that waits in the socket: whoever writes is held up. */
const bufferedBytesMax = 1024 * 1024

export interface StreamOptions {
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  /** Called with the bytes of a channel, in order. */
  readonly onData: (channel: number, bytes: Buffer) => void
}

export class PodStream {
  readonly #socket: WebSocket
  readonly closed: Promise<void>

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()))
  }

  /** Rejects with ApiError where the server refuses. */
  static async open({ server }: ApiSession, options: StreamOptions): Promise<PodStream> {
    const { path, query, onData } = options
    const url = new URL(server.url)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`
    for (const [name, value] of query) url.searchParams.append(name, value)
    const { ca, cert, key, token, skipTlsVerify } = server
    const socket = new WebSocket(url, [protocol], {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      headers: identityHeaders(server, token),
      rejectUnauthorized: skipTlsVerify !== true,
    })
    socket.on('message', (data: Buffer) => {
      if (data.length > 0) onData(data[0] ?? 0, data.subarray(1))
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve())
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          reject(statusError(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'))),
        )
      })
      socket.on('error', reject)
    })
    return new PodStream(socket)
  }

  /** Resolves when more may be sent. A connection that broke tells by its end. */
  send(channel: number, bytes: Buffer): Promise<void> {
    const message = Buffer.concat([Buffer.of(channel), bytes])
    return new Promise((resolve) => {
      this.#socket.send(message, () => resolve())
      if (this.#socket.bufferedAmount < bufferedBytesMax) resolve()
    })
  }

  /** Nothing more comes on this channel. */
  end(channel: number): void {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(Buffer.of(closeChannel, channel))
  }

  close(): void {
    this.#socket.close()
  }
}

interface StreamStatus {
  readonly status?: string
  readonly message?: string
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[]
  }
}

/** The exit code that a Status tells; undefined: it is no exit but a failure, as told by its message. */
export const exitCodeOf = (text: string): { readonly code?: number; readonly message: string } => {
  const { status, message = '', details } = JSON.parse(text) as StreamStatus
  if (status === 'Success') return { code: 0, message }
  const cause = details?.causes?.find(({ reason }) => reason === 'ExitCode')
  return cause === undefined ? { message } : { code: Number(cause.message), message }
}
