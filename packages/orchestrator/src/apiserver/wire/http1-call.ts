// Requests of HTTP/1.1, as Node serves them.
import { isAscii } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest, requestTooLarge } from '../api-errors.ts'
import { type BodyBudget, BodyClaim, tooManyBodies } from './body-budget.ts'
import { BodyParts } from './body-parts.ts'
import { bodyBytesMax, type HttpCall, type SentHeaders, type UpgradedSocket } from './http-call.ts'

export interface Http1CallOptions {
  readonly bodies: BodyBudget
  /** Of a request that asks for another protocol. */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer }
  /** The client waits to be told that it may send its body. */
  readonly isAwaited?: boolean
}

export class Http1Call implements HttpCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly takeSocket?: () => UpgradedSocket
  onClose: () => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #claim: BodyClaim
  /** Of a client that sends its body when it is told to. */
  #isAwaited: boolean
  /** Ends the wait for a body that is not complete. */
  #breakOff: (() => void) | undefined

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { bodies, upgrade, isAwaited = false }: Http1CallOptions,
  ) {
    this.#request = request
    this.#response = response
    this.#claim = new BodyClaim(bodies)
    this.#isAwaited = isAwaited
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
    this.headers = request.headers
    if (upgrade !== undefined) {
      this.takeSocket = () => {
        response.detachSocket(request.socket)
        return { ...upgrade, request }
      }
    }
    const close = (): void => {
      const { onClose } = this
      this.#breakOff?.()
      this.#claim.release()
      this.onClose = () => undefined
      onClose()
    }
    response.on('close', close)
    response.on('error', close)
    upgrade?.socket.on('close', close)
  }

  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? ''
  }

  get status(): number {
    return this.#response.statusCode
  }

  get isStarted(): boolean {
    return this.#response.headersSent
  }

  dropBody(): void {
    this.#request.resume()
  }

  async receive(user: string): Promise<Buffer> {
    const request = this.#request
    const claim = this.#claim
    claim.assign(user)
    if (this.#isAwaited) this.#response.writeContinue()
    this.#isAwaited = false
    return new Promise<Buffer>((resolve, reject) => {
      const parts = new BodyParts()
      const length = Number(request.headers['content-length'])
      let isRefused = false
      const refuse = (reason: Error): void => {
        isRefused = true
        parts.drop()
        claim.release()
        reject(reason)
      }
      this.#breakOff = () => refuse(badRequest('the request body ended before its end'))
      request.on('data', (chunk: Buffer) => {
        // What is left of a body that nobody waits for is read and dropped.
        if (isRefused) return
        const held = parts.add(chunk, parts.size + chunk.length === length)
        if (parts.size > bodyBytesMax) refuse(requestTooLarge(bodyBytesMax))
        else if (!claim.add(held)) refuse(tooManyBodies())
      })
      request.once('end', () => {
        this.#breakOff = undefined
        if (!isRefused) resolve(parts.take())
      })
      request.once('error', refuse)
      request.once('aborted', () => this.#breakOff?.())
    })
  }

  respond(status: number, headers: SentHeaders, body: Uint8Array | string | undefined): void {
    this.#writeHead(status, headers)
    const response = this.#response
    if (body === undefined) response.end()
    // As text of one byte a character it leaves in one write with its head.
    else if (isShortAscii(body)) response.end(body.toString('latin1'), 'latin1')
    else response.end(body)
  }

  start(status: number, headers: SentHeaders): void {
    this.#writeHead(status, headers)
    this.#response.flushHeaders()
    this.#response.on('drain', () => this.onDrain())
  }

  /** After the end nothing is written and nothing is waited for. */
  write(chunk: Uint8Array | string): boolean {
    const response = this.#response
    return response.destroyed || response.writableEnded || response.write(chunk)
  }

  end(): void {
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  #writeHead(status: number, headers: SentHeaders): void {
    // What follows might be the body after all, or the next request.
    if (this.#isAwaited) this.#response.shouldKeepAlive = false
    // Node's declarations do not know lists that may not be changed.
    this.#response.writeHead(status, headers as Record<string, string | number | string[]>)
  }
}

const textBytesMax = 16 * 1024
const isShortAscii = (body: Uint8Array | string): body is Buffer =>
  Buffer.isBuffer(body) && body.length <= textBytesMax && isAscii(body)
