// A SPDY/3.1 connection from the server's side, over any byte stream: a socket after an upgrade, or a WebSocket that carries the bytes.
// Only clients open streams, each a Duplex with the headers it was opened with. A stream whose reader is slow holds up the whole
// connection: the clients ignore the protocol's own flow control.
import { Duplex } from 'node:stream'
import { assert } from '@balsa/raft/assert'
import {
  encodeDataHead,
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  resetCodes,
  SpdyFrameReader,
  type SpdyFrame,
} from './spdy-frames.ts'
import { emptyHeaderBlock, HeaderInflater } from './spdy-headers.ts'

/** Two for each forwarded connection. */
export const spdyStreamsMax = 2048
const streamBufferBytes = 128 * 1024
const dataFrameBytesMax = 0xffffff
/** How long a client gets to close a connection that we are done with. */
const closeTimeoutMs = 5000

export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: ReadonlyMap<string, string>
  readonly #connection: SpdyConnection
  #resume: (() => void) | undefined

  constructor(connection: SpdyConnection, id: number, headers: ReadonlyMap<string, string>) {
    super({ highWaterMark: streamBufferBytes, emitClose: true })
    this.#connection = connection
    this.id = id
    this.headers = headers
  }

  /** Resolves when the reader can take more, or will take no more. */
  async deliver(bytes: Buffer): Promise<void> {
    if (this.destroyed || bytes.length === 0 || this.push(bytes)) return
    await new Promise<void>((resolve) => {
      this.#resume = resolve
    })
  }

  override _read(): void {
    this.#wake()
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#connection.sendData(this.id, chunk, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#connection.sendEnd(this.id, callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#wake()
    this.#connection.forget(this, error !== null || !this.writableFinished)
    callback(error)
  }

  #wake(): void {
    this.#resume?.()
    this.#resume = undefined
  }
}

export class SpdyConnection {
  readonly #transport: Duplex
  readonly #onStream: (stream: SpdyStream) => void
  readonly #reader = new SpdyFrameReader()
  readonly #headers = new HeaderInflater()
  readonly #streams = new Map<number, SpdyStream>()
  #lastId = 0
  #hasReplied = false
  #isEnding = false
  #timer: NodeJS.Timeout | undefined
  /** Resolves when the connection is gone. Never rejects. */
  readonly closed: Promise<void>

  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#transport = transport
    this.#onStream = onStream
    this.closed = new Promise((resolve) => {
      transport.once('close', () => {
        this.#tearDown()
        resolve()
      })
    })
    transport.on('error', () => transport.destroy())
    void this.#run()
  }

  /** Everything is said: the client closes, or is cut off after a while. */
  end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#send(encodeGoAway(this.#lastId))
    this.#timer = setTimeout(() => this.#transport.destroy(), closeTimeoutMs)
  }

  sendData(id: number, chunk: Buffer, callback: (error?: Error | null) => void): void {
    assert(chunk.length <= dataFrameBytesMax, 'a chunk fits a frame')
    this.#transport.cork()
    this.#transport.write(encodeDataHead(id, chunk.length, false))
    this.#transport.write(chunk, callback)
    this.#transport.uncork()
  }

  sendEnd(id: number, callback: (error?: Error | null) => void): void {
    this.#transport.write(encodeDataHead(id, 0, true), callback)
  }

  /** A stream is over on our side. */
  forget(stream: SpdyStream, isBroken: boolean): void {
    if (this.#streams.get(stream.id) !== stream) return
    this.#streams.delete(stream.id)
    if (isBroken) this.#send(encodeRstStream(stream.id, resetCodes.cancel))
  }

  /** One frame after the other: headers are unpacked asynchronously, and a slow stream holds up what follows. */
  async #run(): Promise<void> {
    try {
      for await (const chunk of this.#transport) {
        for (const frame of this.#reader.read(chunk as Buffer)) await this.#handle(frame)
      }
      for (const stream of this.#streams.values()) stream.push(null)
      // A client that says no more hears no more either.
      this.#transport.end()
    } catch {
      // Nonsense, or a connection that broke: it concerns nobody but its client.
      this.#transport.destroy()
    }
  }

  async #handle(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case 'synStream':
        return this.#open(frame)
      case 'headers':
        // All blocks go through the one inflater, also those that say nothing.
        await this.#headers.inflate(frame.block)
        return undefined
      case 'rstStream':
        this.#streams.get(frame.id)?.destroy()
        return undefined
      case 'ping':
        this.#send(encodePing(frame.id))
        return undefined
      case 'goAway':
        if (this.#isEnding) this.#transport.end()
        return undefined
      case 'data': {
        const stream = this.#streams.get(frame.id)
        if (stream === undefined) return undefined
        await stream.deliver(frame.bytes)
        if (frame.isFinal) stream.push(null)
        return undefined
      }
    }
  }

  async #open({ id, isFinal, block }: SpdyFrame & { readonly type: 'synStream' }): Promise<void> {
    const headers = await this.#headers.inflate(block)
    if (id <= this.#lastId || this.#streams.size >= spdyStreamsMax) {
      this.#send(encodeRstStream(id, resetCodes.refusedStream))
      return
    }
    this.#lastId = id
    const stream = new SpdyStream(this, id, headers)
    // A stream that broke says so through its end; nobody need listen.
    stream.on('error', () => undefined)
    this.#streams.set(id, stream)
    this.#send(encodeSynReply(id, emptyHeaderBlock(!this.#hasReplied)))
    this.#hasReplied = true
    if (isFinal) stream.push(null)
    this.#onStream(stream)
  }

  #send(frame: Buffer): void {
    if (!this.#transport.destroyed && this.#transport.writable) this.#transport.write(frame)
  }

  #tearDown(): void {
    clearTimeout(this.#timer)
    this.#headers.close()
    for (const stream of this.#streams.values()) stream.destroy()
    this.#streams.clear()
  }
}
