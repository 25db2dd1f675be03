// One request's stream: its windows and what waits to be sent. Its transport, the connection, moves the bytes.
import type { Http2ErrorCode } from './http2-protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import { streamReceiveWindow } from './server-settings.ts'

/** Who serves a stream. After `closed` nothing else is called. */
export interface StreamHandler {
  /** DATA without padding; `isEnd` when the client is done sending. The bytes may be kept, not changed. */
  data(buffer: Buffer, start: number, end: number, isEnd: boolean): void
  /** Everything sent so far has left for the socket: sendMessage() may be used again. */
  writable(): void
  /** The client reset the stream or the connection is gone, before our answer ended. */
  closed(): void
}

export interface StreamTransport {
  readonly isOverfull: boolean
  sendHeaders(stream: Http2Stream, block: Uint8Array): void
  sendMessage(stream: Http2Stream, payload: Uint8Array): boolean
  sendData(stream: Http2Stream, bytes: Uint8Array): boolean
  sendLastData(stream: Http2Stream, bytes: Uint8Array): void
  sendTrailers(stream: Http2Stream, block: Uint8Array): void
  resetStream(stream: Http2Stream, code: Http2ErrorCode): void
}

export class Http2Stream {
  readonly id: number
  readonly #transport: StreamTransport
  handler: StreamHandler | undefined
  /** How much the client lets us send; can be negative after a change of its settings. */
  sendWindow: number
  readonly receiveWindow: ReceiveWindow
  remoteEnded = false
  localEnded = false
  /** DATA that waits for a window or the socket. */
  readonly queue: Uint8Array[] = []
  /** Sent when the queue is empty. */
  trailers: Uint8Array | undefined

  constructor(id: number, transport: StreamTransport, sendWindow: number) {
    this.id = id
    this.#transport = transport
    this.sendWindow = sendWindow
    this.receiveWindow = new ReceiveWindow(streamReceiveWindow, id)
  }

  /** So much waits for clients to read it that an answer had better be refused. */
  get isOverfull(): boolean {
    return this.#transport.isOverfull
  }

  sendHeaders(block: Uint8Array): void {
    this.#transport.sendHeaders(this, block)
  }

  /** Sends one gRPC message (its five-byte prefix is added). False: it waits; send no more before writable(). */
  sendMessage(payload: Uint8Array): boolean {
    return this.#transport.sendMessage(this, payload)
  }

  /** Sends bytes of a body. False: they wait; send no more before writable(). */
  sendData(bytes: Uint8Array): boolean {
    return this.#transport.sendData(this, bytes)
  }

  /** Sends the last bytes of a body, which may be none; nothing is called on the handler after it but closed(). */
  sendLastData(bytes: Uint8Array): void {
    this.#transport.sendLastData(this, bytes)
  }

  /** Ends our side after all that waits; nothing is called on the handler after it. */
  sendTrailers(block: Uint8Array): void {
    this.#transport.sendTrailers(this, block)
  }

  /** Drops the stream; nothing is called on the handler after it. */
  reset(code: Http2ErrorCode): void {
    this.#transport.resetStream(this, code)
  }
}
