// Requests of HTTP/2, served on a framer of our own: Node's module costs more for a stream than all that the apiserver does for a GET.
import {
  defaultLimits,
  HeaderCache,
  Http2Connection,
  http2ErrorCode,
  requestFields,
  type HeaderField,
  type Http2Stream,
  type StreamHandler,
} from '@balsa/kv/http2'
import type { TLSSocket } from 'node:tls'
import { badRequest, requestTooLarge } from '../api-errors.ts'
import { type BodyBudget, BodyClaim, tooManyBodies } from './body-budget.ts'
import type { ConnectionWatch, WatchedConnection } from './connection-watch.ts'
import { BodyParts } from './body-parts.ts'
import { bodyBytesMax, type HttpCall, type SentHeaders } from './http-call.ts'
import { encodeHead } from './http2-head.ts'

const streamsPerConnectionMax = 1000
/** More than the longest URL that is served. */
export const headerBytesMax: number = 128 * 1024
const noBytes = Buffer.alloc(0)

interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the calls of one connection share. */
interface CallConnection {
  readonly remoteAddress: string
  readonly bodies: BodyBudget
}

const limits = { ...defaultLimits, concurrentStreamsMax: streamsPerConnectionMax }
const cache = new HeaderCache<RequestHead>()

/** What the connections of a server share. */
export interface Http2Shared {
  readonly bodies: BodyBudget
  readonly connections: ConnectionWatch
}

/** Serves a connection that has agreed on `h2`; `serve` gets its calls. */
export const serveHttp2 = (
  socket: TLSSocket,
  { bodies, connections }: Http2Shared,
  serve: (call: HttpCall) => void,
): void => {
  const shared: CallConnection = { remoteAddress: socket.remoteAddress ?? '', bodies }
  const unread = { count: 0 }
  const open = (stream: Http2Stream, head: RequestHead): StreamHandler => {
    connections.used(watched)
    const call = new Http2Call(stream, head, shared)
    serve(call)
    return call
  }
  const connection = new Http2Connection<RequestHead>({
    socket,
    server: { cache, parseHeaders, isConstant: () => true, open },
    nowMs: () => performance.now(),
    limits,
    unreadBytes: unread,
    headerListSizeMax: headerBytesMax,
    arePingsFree: true,
    isPrompt: true,
    onClosed: () => connections.remove(watched),
  })
  const watched: WatchedConnection = {
    get streamCount() {
      return connection.streamCount
    },
    unread,
    shutDown: () => connection.shutDown(),
    destroy: () => socket.destroy(),
  }
  connections.add(watched)
}

/** No value with bytes that would end a header elsewhere. */
const isSafe = ([, value]: HeaderField): boolean => !/[\0\r\n]/.test(value)

const parseHeaders = (fields: readonly HeaderField[]): RequestHead | undefined => {
  const values = fields.every(isSafe) ? requestFields(fields) : undefined
  const method = values?.get(':method')
  const url = values?.get(':path')
  if (method === undefined || url === undefined) return undefined
  // Without a prototype: names such as `constructor` are names like others.
  const headers = Object.create(null) as Record<string, string>
  for (const [name, value] of fields) {
    if (name.startsWith(':')) continue
    const before = headers[name]
    const mark = name === 'cookie' ? '; ' : ', '
    headers[name] = before === undefined ? value : before + mark + value
  }
  headers['host'] ??= values?.get(':authority') ?? ''
  return { method, url, headers }
}

class Http2Call implements HttpCall, StreamHandler {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  onClose: () => void = () => undefined
  onDrain: () => void = () => undefined
  status = 200
  isStarted = false
  readonly #stream: Http2Stream
  readonly #connection: CallConnection
  readonly #claim: BodyClaim
  readonly #parts = new BodyParts()
  #size = 0
  #isReceived = false
  /** More is held of bodies than may be. */
  #isRefused = false
  #isDropping = false
  #isClosed = false
  #waiting: { resolve: (body: Buffer) => void; reject: (reason: Error) => void } | undefined

  constructor(stream: Http2Stream, head: RequestHead, connection: CallConnection) {
    this.#stream = stream
    this.#connection = connection
    this.#claim = new BodyClaim(connection.bodies)
    this.method = head.method
    this.url = head.url
    this.headers = head.headers
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  dropBody(): void {
    this.#isDropping = true
    this.#releaseBody()
  }

  async receive(user: string): Promise<Buffer> {
    if (this.#isClosed) throw brokenOff()
    if (!this.#claim.assign(user)) this.#isRefused = true
    this.#check()
    if (this.#isReceived) return this.#parts.take()
    // Clients with large bodies may ask first; whoever handles the request has said by now that it will read it.
    if (this.headers['expect'] === '100-continue') this.#stream.sendHeaders(encodeHead(100, {}))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  data(buffer: Buffer, start: number, end: number, isEnd: boolean): void {
    const size = end - start
    this.#size += size
    if (size > 0 && !this.#isDropping) this.#keep(buffer.subarray(start, end), isEnd)
    if (!isEnd || this.#isClosed) return
    this.#isReceived = true
    const { 'content-length': length } = this.headers
    if (length !== undefined && Number(length) !== this.#size) {
      this.#breakOff(http2ErrorCode.protocolError)
      return
    }
    this.#waiting?.resolve(this.#parts.take())
  }

  writable(): void {
    this.onDrain()
  }

  closed(): void {
    this.#close()
  }

  respond(status: number, headers: SentHeaders, body: Uint8Array | string | undefined): void {
    if (this.#isClosed) return
    if (this.#stream.isOverfull) {
      this.#breakOff(http2ErrorCode.enhanceYourCalm)
      return
    }
    this.#begin(status)
    const block = encodeHead(status, headers)
    if (body === undefined) this.#stream.sendTrailers(block)
    else {
      this.#stream.sendHeaders(block)
      this.#stream.sendLastData(typeof body === 'string' ? Buffer.from(body) : body)
    }
    this.#close()
  }

  start(status: number, headers: SentHeaders): void {
    if (this.#isClosed) return
    this.#begin(status)
    this.#stream.sendHeaders(encodeHead(status, headers))
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isClosed) return true
    return this.#stream.sendData(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  }

  end(): void {
    if (this.#isClosed) return
    this.#stream.sendLastData(noBytes)
    this.#close()
  }

  destroy(): void {
    if (!this.#isClosed) this.#breakOff(http2ErrorCode.internalError)
  }

  #begin(status: number): void {
    this.status = status
    this.isStarted = true
  }

  #keep(chunk: Buffer, isLast: boolean): void {
    if (this.#isRefused || this.#isClosed) return
    this.#isRefused = this.#size > bodyBytesMax || !this.#claim.add(this.#parts.add(chunk, isLast))
    if (!this.#isRefused) return
    this.#releaseBody()
    try {
      this.#check()
    } catch (reason) {
      if (!(reason instanceof Error)) throw reason
      this.#waiting?.reject(reason)
    }
  }

  /** Throws ApiError RequestEntityTooLarge, TooManyRequests. */
  #check(): void {
    if (this.#size > bodyBytesMax) throw requestTooLarge(bodyBytesMax)
    if (this.#isRefused) throw tooManyBodies()
  }

  #releaseBody(): void {
    this.#parts.drop()
    this.#claim.release()
  }

  #breakOff(code: (typeof http2ErrorCode)[keyof typeof http2ErrorCode]): void {
    this.#stream.reset(code)
    this.closed()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#releaseBody()
    // Answered, or broken off, before its body was there.
    if (!this.#isReceived) this.#waiting?.reject(brokenOff())
    this.onClose()
  }
}

const brokenOff = (): Error => badRequest('the request body ended before its end')
