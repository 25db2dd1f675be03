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
import { bodyBytesMax, type HttpCall, type SentHeaders } from './http-call.ts'
import { encodeHead } from './http2-head.ts'

const streamsPerConnectionMax = 1000
/** Of bodies that are not complete yet. */
const bodyBytesPerConnectionMax = 64 * 1024 * 1024
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
  bodyBytes: number
}

const limits = { ...defaultLimits, concurrentStreamsMax: streamsPerConnectionMax }
const cache = new HeaderCache<RequestHead>()

/** Serves a connection that has agreed on `h2`; `serve` gets its calls. */
export const serveHttp2 = (
  socket: TLSSocket,
  serve: (call: HttpCall) => void,
): { readonly streamCount: number } => {
  const connection: CallConnection = { remoteAddress: socket.remoteAddress ?? '', bodyBytes: 0 }
  const open = (stream: Http2Stream, head: RequestHead): StreamHandler => {
    const call = new Http2Call(stream, head, connection)
    serve(call)
    return call
  }
  return new Http2Connection<RequestHead>({
    socket,
    server: { cache, parseHeaders, isConstant: () => true, open },
    nowMs: () => performance.now(),
    limits,
    headerListSizeMax: headerBytesMax,
    arePingsFree: true,
    isPrompt: true,
    onClosed: () => undefined,
  })
}

/** No value with bytes that would end a header elsewhere. */
const isSafe = ([, value]: HeaderField): boolean => !/[\0\r\n]/.test(value)

const parseHeaders = (fields: readonly HeaderField[]): RequestHead | undefined => {
  const values = fields.every(isSafe) ? requestFields(fields) : undefined
  const method = values?.get(':method')
  const url = values?.get(':path')
  if (method === undefined || url === undefined) return undefined
  const headers: Record<string, string> = {}
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
  #chunks: Buffer[] = []
  #size = 0
  #isReceived = false
  #isDropping = false
  #isClosed = false
  #waiting: { resolve: (body: Buffer) => void; reject: (reason: Error) => void } | undefined

  constructor(stream: Http2Stream, head: RequestHead, connection: CallConnection) {
    this.#stream = stream
    this.#connection = connection
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

  async receive(): Promise<Buffer> {
    if (this.#isClosed) throw brokenOff()
    if (this.#size > bodyBytesMax) throw requestTooLarge(bodyBytesMax)
    if (this.#isReceived) return this.#takeBody()
    // Clients with large bodies may ask first; whoever handles the request has said by now that it will read it.
    if (this.headers['expect'] === '100-continue') this.#stream.sendHeaders(encodeHead(100, {}))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  data(buffer: Buffer, start: number, end: number, isEnd: boolean): void {
    const size = end - start
    this.#size += size
    if (size > 0 && !this.#isDropping) this.#keep(buffer.subarray(start, end))
    if (!isEnd || this.#isClosed) return
    this.#isReceived = true
    const { 'content-length': length } = this.headers
    if (length !== undefined && Number(length) !== this.#size) {
      this.#breakOff(http2ErrorCode.protocolError)
      return
    }
    this.#waiting?.resolve(this.#takeBody())
  }

  writable(): void {
    this.onDrain()
  }

  closed(): void {
    this.#releaseBody()
    this.#waiting?.reject(brokenOff())
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

  #keep(chunk: Buffer): void {
    if (this.#isClosed || this.#size > bodyBytesMax) {
      this.#releaseBody()
      this.#waiting?.reject(requestTooLarge(bodyBytesMax))
      return
    }
    this.#connection.bodyBytes += chunk.length
    this.#chunks.push(chunk)
    if (this.#connection.bodyBytes > bodyBytesPerConnectionMax) {
      this.#breakOff(http2ErrorCode.enhanceYourCalm)
    }
  }

  #takeBody(): Buffer {
    const [only = noBytes] = this.#chunks
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : only
    this.#releaseBody()
    return body
  }

  #releaseBody(): void {
    for (const { length } of this.#chunks) this.#connection.bodyBytes -= length
    this.#chunks = []
  }

  #breakOff(code: (typeof http2ErrorCode)[keyof typeof http2ErrorCode]): void {
    this.#stream.reset(code)
    this.closed()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.onClose()
  }
}

const brokenOff = (): Error => badRequest('the request body ended before its end')
