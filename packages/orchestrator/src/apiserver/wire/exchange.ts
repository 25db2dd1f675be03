// One request and its reply, whatever carries them: what was asked, who asks, and the forms in which an answer may go out.
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '@balsa/raft/assert'
import { badRequest } from '../api-errors.ts'
import { anonymousUser, type User } from '../access/user.ts'
import type { HttpCall, SentHeaders, UpgradedSocket } from './http-call.ts'
import { fromOldWatchPath } from './old-watch-path.ts'

const urlLengthMax = 64 * 1024
const noBytes = Buffer.alloc(0)
/** Others have their turn after so many parts, also where the client takes them all at once. */
const partsPerTurnMax = 4
const bodilessMethods = new Set(['GET', 'HEAD'])
const warningsMax = 20
const auditIdPattern = /^[-\w]{1,64}$/
const warningLengthMax = 1024

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
  readonly #call: HttpCall
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
  readonly #endListeners: ((status: number) => void)[] = []

  constructor(call: HttpCall) {
    this.#call = call
    this.method = call.method
    const { url } = call
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const rawQuery = mark === -1 ? '' : url.slice(mark + 1)
    const asked = fromOldWatchPath(path, rawQuery)
    this.path = asked?.path ?? path
    this.rawQuery = asked?.rawQuery ?? rawQuery
    call.onClose = () => this.#onClose()
  }

  #onClose(): void {
    const { status } = this.#call
    this.#observer?.complete(status, this.#observedBody)
    this.#isClosed = true
    this.#abort?.abort()
    for (const listener of this.#endListeners) listener(status)
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
    return this.#call.url
  }

  /** '' when the client has gone. */
  get remoteAddress(): string {
    return this.#call.remoteAddress
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
    this.#endListeners.push(listener)
  }

  get isStarted(): boolean {
    return this.#call.isStarted
  }

  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    return this.#call.headers
  }

  /** Whether the client is on this machine, so that bytes cost nothing to send. */
  get isLocal(): boolean {
    return /^(?:::ffff:)?127\.|^::1$/.test(this.remoteAddress)
  }

  /** '' when it was not sent. */
  header(name: string): string {
    const value = this.#call.headers[name]
    return (Array.isArray(value) ? value.join(', ') : value) ?? ''
  }

  /** The request's body, which receiveBody() has taken in. */
  get body(): Buffer {
    assert(this.#body !== undefined, 'the body has been received')
    return this.#body
  }

  /** What has been taken in of the body; undefined: the request was refused before. */
  get receivedBody(): Buffer | undefined {
    return this.#body
  }

  /** Throws ApiError BadRequest for a URL that is too long. */
  checkUrl(): void {
    if (this.#call.url.length > urlLengthMax) throw badRequest('the request URL is too long')
  }

  /** For a request whose body nobody reads. */
  dropBody(): void {
    this.#call.dropBody()
    this.#body = noBytes
  }

  /**
   * Takes the whole body in, on behalf of `user`. Rejects with ApiError RequestEntityTooLarge, TooManyRequests when too much is held of
   * bodies, BadRequest when the client breaks off.
   */
  async receiveBody(): Promise<void> {
    if (bodilessMethods.has(this.method) || this.isUpgrade) this.dropBody()
    else this.#body = await this.#call.receive(this.user.name)
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
    if (this.isStarted || this.#isClosed) return
    if (this.#isBodyObserved) this.#observedBody = Buffer.from(body)
    const head = this.#head(contentType, Buffer.byteLength(body), headers)
    this.#call.respond(status, head, this.method === 'HEAD' ? undefined : body)
  }

  redirect(location: string): void {
    if (this.isStarted || this.#isClosed) return
    this.#call.respond(301, { location }, undefined)
  }

  /** Passes an answer of somebody else on, as fast as the client takes it. Never rejects. */
  async relay(
    status: number,
    headers: Readonly<Record<string, string | string[]>>,
    body: Readable,
  ): Promise<void> {
    if (this.isStarted || this.#isClosed) {
      body.destroy()
      return
    }
    try {
      this.#call.start(status, headers)
      await this.#write(body)
    } catch {
      // What is there so far must not pass for the whole; headers that cannot be written are none.
      body.destroy()
      this.destroy()
    }
  }

  /** Headers go out at once, so that a client that waits for them goes on. */
  startStream(status: number, contentType: string): ReplyStream {
    const call = this.#call
    call.start(status, this.#head(contentType, undefined))
    this.#observer?.started(status)
    const stream: ReplyStream = {
      write: (chunk) => call.write(chunk),
      end: () => call.end(),
      onDrain: () => undefined,
    }
    call.onDrain = () => stream.onDrain()
    return stream
  }

  /** Writes parts as fast as the client takes them, never all at once. Resolves when all are written or the client has gone. */
  async sendParts(
    status: number,
    contentType: string,
    parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (this.isStarted || this.#isClosed) return
    const head = this.#head(contentType, undefined, headers)
    if (this.method === 'HEAD') {
      this.#call.respond(status, head, undefined)
      return
    }
    this.#call.start(status, head)
    await this.#write(parts)
  }

  async #write(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    let partsOfTurn = 0
    for await (const part of parts) {
      if (this.#isClosed) return
      if (!this.#call.write(part)) await this.#drained()
      else if (++partsOfTurn % partsPerTurnMax === 0) await nextTurn()
    }
    this.#call.end()
  }

  /** Whether the client asks to go on in another protocol, which takeSocket() begins. */
  get isUpgrade(): boolean {
    return this.#call.takeSocket !== undefined
  }

  /** From here on the connection is the caller's, who writes the answer to the upgrade too. */
  takeSocket(): UpgradedSocket {
    const { takeSocket } = this.#call
    assert(takeSocket !== undefined, 'the request asks for an upgrade')
    return takeSocket()
  }

  /** For a stream that has failed: the client must not take what it got for the whole. */
  destroy(): void {
    this.#call.destroy()
  }

  async #drained(): Promise<void> {
    const { signal } = this
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#call.onDrain = () => undefined
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#call.onDrain = done
      signal.addEventListener('abort', done)
    })
  }

  #head(
    contentType: string,
    contentLength: number | undefined,
    more: Readonly<Record<string, string>> = {},
  ): SentHeaders {
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
    return headers
  }
}

/** A quoted string of a header: no control characters, nothing beyond ASCII. */
const quoted = (text: string): string =>
  `"${text.replaceAll(/[^ -~]/g, '?').replaceAll(/["\\]/g, (character) => `\\${character}`)}"`
