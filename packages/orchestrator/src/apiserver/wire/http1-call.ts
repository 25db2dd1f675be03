// Requests of HTTP/1.1, as Node serves them.
import { isAscii } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest, requestTooLarge } from '../api-errors.ts'
import { bodyBytesMax, type HttpCall, type SentHeaders, type UpgradedSocket } from './http-call.ts'

export class Http1Call implements HttpCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly takeSocket?: () => UpgradedSocket
  onClose: () => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  /** `upgrade`: of a request that asks for another protocol. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade?: { readonly socket: Duplex; readonly head: Buffer },
  ) {
    this.#request = request
    this.#response = response
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

  async receive(): Promise<Buffer> {
    const request = this.#request
    return new Promise<Buffer>((resolve, reject) => {
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
    // Node's declarations do not know lists that may not be changed.
    this.#response.writeHead(status, headers as Record<string, string | number | string[]>)
  }
}

const textBytesMax = 16 * 1024
const isShortAscii = (body: Uint8Array | string): body is Buffer =>
  Buffer.isBuffer(body) && body.length <= textBytesMax && isAscii(body)
