// One request and its reply, the same over HTTP/1.1 and HTTP/2. Everything that touches Node's request and response is here.
import { isAscii } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex, Readable } from 'node:stream'
import { assert } from '@balsa/raft/assert'
import { badRequest, requestTooLarge } from '../api-errors.ts'
import { anonymousUser, type User } from '../access/user.ts'

/** HTTP/2's have the same methods; their declarations differ in ways that do not matter here. */
export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

/** As upstream's limit for request bodies. */
export const bodyBytesMax: number = 3 * 1024 * 1024
const urlLengthMax = 64 * 1024
const bodilessMethods = new Set(['GET', 'HEAD'])
const warningsMax = 20
const auditIdPattern = /^[-\w]{1,64}$/
const warningLengthMax = 1024

/** The connection of a request that asked to go on in another protocol. */
export interface UpgradedSocket {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What the client sent after the request already. */
  readonly head: Buffer
}

/** A reply that is written bit by bit. */
export interface ReplyStream {
  /** false: wait for onDrain before writing more. */
  write(chunk: Uint8Array | string): boolean
  end(): void
  /** Called when writing may go on. */
  onDrain: () => void
}

/** Told of the reply to a request, for the audit log. */
export interface ReplyObserver {
  /** The headers of a reply that goes on for long are out. */
  started(status: number): void
  /** The reply is over; `body` where it was asked for and is one piece. */
  complete(status: number, body: Uint8Array | undefined): void
}

export class Exchange {
  readonly method: string
  readonly path: string
  /** The query as it was sent. */
  readonly rawQuery: string
  /** Set by the dispatcher before any handler runs. */
  user: User = anonymousUser
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #warnings: string[] = []
  /** Made when first asked for: most requests never are, and aborting one is dear. */
  #abort: AbortController | undefined
  #query: URLSearchParams | undefined
  #isClosed = false
  #body: Buffer | undefined

  /** What plugins note for the audit log. */
  readonly annotations: Record<string, string> = {}
  #auditId: string | undefined
  #observer: ReplyObserver | undefined
  #observedBody: Uint8Array | undefined
  #isBodyObserved = false
  readonly #upgrade: Omit<UpgradedSocket, 'request'> | undefined

  /** `upgrade`: of a request that asks for another protocol. Throws ApiError BadRequest for a URL that is too long. */
  constructor(
    request: HttpRequest,
    response: HttpResponse,
    upgrade?: Omit<UpgradedSocket, 'request'>,
  ) {
    this.#upgrade = upgrade
    this.#request = request as IncomingMessage
    this.#response = response as ServerResponse
    this.method = request.method ?? 'GET'
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    this.path = mark === -1 ? url : url.slice(0, mark)
    this.rawQuery = mark === -1 ? '' : url.slice(mark + 1)
    const onClose = (): void => {
      if (!this.#isClosed) this.#observer?.complete(this.#response.statusCode, this.#observedBody)
      this.#isClosed = true
      this.#abort?.abort()
    }
    this.#response.on('close', onClose)
    upgrade?.socket.on('close', onClose)
    this.#response.on('error', onClose)
    if (url.length > urlLengthMax) throw badRequest('the request URL is too long')
  }

  /** Calls `observer` for the reply that is to come, with its body if `withBody`. */
  observe(withBody: boolean, observer: ReplyObserver): void {
    this.#observer = observer
    this.#isBodyObserved = withBody
  }

  /** Names the request in the audit log; the client may choose it. */
  get auditId(): string {
    return (this.#auditId ??= auditIdPattern.exec(this.header('audit-id'))?.[0] ?? randomUUID())
  }

  /** As it was sent. */
  get url(): string {
    return this.#request.url ?? '/'
  }

  /** '' when the client has gone. */
  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? ''
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.rawQuery))
  }

  /** Aborted when the reply is complete or the client has gone. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#isClosed) this.#abort.abort()
    return this.#abort.signal
  }

  /** Whether the reply is complete or the client has gone. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** `listener` gets the status when the reply is complete or the client has gone. */
  onEnd(listener: (status: number) => void): void {
    this.#response.once('close', () => {
      listener(this.#response.statusCode)
    })
  }

  get isStarted(): boolean {
    return this.#response.headersSent
  }

  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    return this.#request.headers
  }

  /** Whether the client is on this machine, so that bytes cost nothing to send. */
  get isLocal(): boolean {
    const address = this.#request.socket.remoteAddress ?? ''
    return /^(?:::ffff:)?127\.|^::1$/.test(address)
  }

  /** '' when it was not sent. */
  header(name: string): string {
    const value = this.#request.headers[name]
    return (Array.isArray(value) ? value.join(', ') : value) ?? ''
  }

  /** The request's body, which receiveBody() has taken in. */
  get body(): Buffer {
    assert(this.#body !== undefined, 'the body has been received')
    return this.#body
  }

  /**
   * Takes the whole body in. Every request must be read to its end, also one that is refused: frames for a stream that was answered
   * before count against the connection. Rejects with ApiError RequestEntityTooLarge, BadRequest when the client breaks off.
   */
  async receiveBody(): Promise<void> {
    const request = this.#request
    if (bodilessMethods.has(this.method) || this.#upgrade !== undefined) {
      request.resume()
      this.#body = Buffer.alloc(0)
      return
    }
    this.#body = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= bodyBytesMax) chunks.push(chunk)
        else {
          chunks.length = 0
          reject(requestTooLarge(bodyBytesMax))
        }
      })
      request.once('end', () => {
        const [only] = chunks
        resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks))
      })
      request.once('error', reject)
      request.once('aborted', () => {
        reject(badRequest('the request body ended before its end'))
      })
    })
  }

  /** Adds a text that kubectl shows as `Warning: TEXT`. */
  warn(text: string): void {
    const warning = text.slice(0, warningLengthMax)
    // A write that is tried again warns again.
    if (this.#warnings.length >= warningsMax || this.#warnings.includes(warning)) return
    this.#warnings.push(warning)
  }

  send(
    status: number,
    contentType: string,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    if (this.#response.headersSent || this.#isClosed) return
    this.#writeHead(status, contentType, Buffer.byteLength(body), headers)
    if (this.#isBodyObserved) this.#observedBody = Buffer.from(body)
    if (this.method === 'HEAD') this.#response.end()
    else if (this.#request.httpVersionMajor === 1 && isShortAscii(body))
      // As text of one byte a character it leaves in one write with its head.
      this.#response.end(body.toString('latin1'), 'latin1')
    else this.#response.end(body)
  }

  redirect(location: string): void {
    if (this.#response.headersSent || this.#isClosed) return
    this.#response.writeHead(301, { location })
    this.#response.end()
  }

  /** Passes an answer of somebody else on. */
  relay(
    status: number,
    headers: Readonly<Record<string, string | string[]>>,
    body: Readable,
  ): void {
    if (this.#response.headersSent || this.#isClosed) {
      body.destroy()
      return
    }
    this.#response.writeHead(status, headers)
    this.#response.flushHeaders()
    body.on('error', () => this.destroy())
    body.pipe(this.#response)
  }

  /** Headers go out at once, so that a client that waits for them goes on. */
  startStream(status: number, contentType: string): ReplyStream {
    const response = this.#response
    this.#writeHead(status, contentType, undefined)
    response.flushHeaders()
    this.#observer?.started(status)
    const stream: ReplyStream = {
      write: (chunk) => writeTo(response, chunk),
      end: () => {
        response.end()
      },
      onDrain: () => undefined,
    }
    response.on('drain', () => {
      stream.onDrain()
    })
    return stream
  }

  /** Writes parts as fast as the client takes them, never all at once. Resolves when all are written or the client has gone. */
  async sendParts(
    status: number,
    contentType: string,
    parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.#writeHead(status, contentType, undefined, headers)
    const response = this.#response
    if (this.method === 'HEAD') {
      response.end()
      return
    }
    for await (const part of parts) {
      if (this.#isClosed) return
      if (!writeTo(response, part)) await this.#drained()
    }
    response.end()
  }

  /** Whether the client asks to go on in another protocol, which takeSocket() begins. */
  get isUpgrade(): boolean {
    return this.#upgrade !== undefined
  }

  /** From here on the connection is the caller's, who writes the answer to the upgrade too. */
  takeSocket(): UpgradedSocket {
    assert(this.#upgrade !== undefined, 'the request asks for an upgrade')
    const { socket } = this.#request
    this.#response.detachSocket(socket)
    return { ...this.#upgrade, request: this.#request }
  }

  /** For a stream that has failed: the client must not take what it got for the whole. */
  destroy(): void {
    this.#response.destroy()
  }

  async #drained(): Promise<void> {
    const response = this.#response
    const { signal } = this
    return new Promise((resolve) => {
      const done = (): void => {
        response.removeListener('drain', done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      response.on('drain', done)
      signal.addEventListener('abort', done)
    })
  }

  #writeHead(
    status: number,
    contentType: string,
    contentLength: number | undefined,
    more: Readonly<Record<string, string>> = {},
  ): void {
    const headers: Record<string, string | number | string[]> = {
      'audit-id': this.auditId,
      'cache-control': 'no-cache, private',
      'content-type': contentType,
      ...more,
    }
    if (contentLength !== undefined) headers['content-length'] = contentLength
    if (this.#warnings.length > 0) {
      headers['warning'] = this.#warnings.map((text) => `299 - ${quoted(text)}`)
    }
    this.#response.writeHead(status, headers)
  }
}

const textBytesMax = 16 * 1024
const isShortAscii = (body: Uint8Array | string): body is Buffer =>
  Buffer.isBuffer(body) && body.length <= textBytesMax && isAscii(body)

/** Whether more may be written at once; after the end nothing is written and nothing is waited for. */
const writeTo = (response: ServerResponse, chunk: Uint8Array | string): boolean =>
  response.destroyed || response.writableEnded || response.write(chunk)

/** A quoted string of a header: no control characters, nothing beyond ASCII. */
const quoted = (text: string): string =>
  `"${text.replaceAll(/[^ -~]/g, '?').replaceAll(/["\\]/g, (character) => `\\${character}`)}"`
