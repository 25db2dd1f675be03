// The server side of one HTTP/2 connection (RFC 9113): frames in, streams and their windows, and every rule a client can break. What
// the headers mean and who serves a stream is the server's business.
import type { Duplex } from 'node:stream'
import { defaultLimits, type Limits } from '../../../limits.ts'
import { ConnectionPreface } from './connection-preface.ts'
import { FrameBudget } from './frame-budget.ts'
import { checkPriority, FrameReader, unpad } from './frame-reader.ts'
import type { Frame } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { HeaderAssembler } from './header-assembler.ts'
import {
  frameFlag,
  frameSizeError,
  frameType,
  Http2Error,
  http2ErrorCode,
  protocolError,
  windowSizeMax,
} from './http2-protocol.ts'
import type { Http2ErrorCode } from './http2-protocol.ts'
import type { Http2ConnectionOptions, Http2Server } from './http2-server.ts'
import { Http2Stream } from './http2-stream.ts'
import type { StreamTransport } from './http2-stream.ts'
import { KeepAlive } from './keep-alive.ts'
import { parseInitialWindowSize } from './peer-settings.ts'
import { ReceiveWindow } from './receive-window.ts'
import { defaultHeaderListSizeMax, RequestDecoder } from './request-decoder.ts'
import { connectionReceiveWindow, writeServerSettings } from './server-settings.ts'
import { StreamSender } from './stream-sender.ts'

/** How long a connection that broke the rules stays, so that it can read why. */
const failedLingerMs = 1000
const keepAlivePing = Buffer.from('balsa-ka')

export class Http2Connection<H> implements StreamTransport {
  readonly #socket: Duplex
  readonly #server: Http2Server<H>
  readonly #writer: FrameWriter
  readonly #sender: StreamSender
  readonly #reader: FrameReader
  readonly #decoder: RequestDecoder<H>
  readonly #assembler: HeaderAssembler
  readonly #budget: FrameBudget
  readonly #streams = new Map<number, Http2Stream>()
  readonly #onClosed: () => void
  readonly #preface = new ConnectionPreface()
  readonly #limits: Readonly<Limits>
  readonly #keepAlive: KeepAlive
  readonly #arePingsFree: boolean
  #lastStreamId = 0
  readonly #receiveWindow = new ReceiveWindow(connectionReceiveWindow, 0)
  #settingsReceived = false
  #closing = false
  #ended = false

  /** Bytes the socket gave before belong in `push`. */
  constructor(options: Http2ConnectionOptions<H>) {
    const { socket, nowMs, headerListSizeMax = defaultHeaderListSizeMax } = options
    this.#socket = socket
    this.#server = options.server
    this.#onClosed = options.onClosed
    this.#budget = new FrameBudget(nowMs)
    this.#limits = options.limits ?? defaultLimits
    this.#keepAlive = new KeepAlive(this.#limits, nowMs)
    this.#arePingsFree = options.arePingsFree ?? false
    this.#decoder = new RequestDecoder(options.server, headerListSizeMax)
    this.#assembler = new HeaderAssembler(
      this.#budget,
      headerListSizeMax * 2,
      (streamId, isEnd, buffer, start, end) =>
        this.#onHeaderBlock(streamId, isEnd, buffer, start, end),
    )
    this.#writer = new FrameWriter(socket, options.isPrompt)
    const onEnded = (stream: Http2Stream): void => this.#onLocalEnd(stream)
    this.#sender = new StreamSender(this.#writer, onEnded, options.unreadBytes)
    this.#reader = new FrameReader((frame) => this.#onFrame(frame))
    writeServerSettings(this.#writer, this.#limits, headerListSizeMax)
    socket.on('data', (chunk: Buffer) => this.push(chunk))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => socket.end())
    // The reason of a broken connection is the peer's; `close` follows.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#onSocketClosed())
  }

  get socket(): Duplex {
    return this.#socket
  }

  get isOverfull(): boolean {
    return this.#sender.isOverfull
  }

  get streamCount(): number {
    return this.#streams.size
  }

  /** Feeds bytes that came from the socket. */
  push(chunk: Buffer): void {
    if (this.#ended) return
    this.#keepAlive.heard()
    try {
      const rest = this.#preface.take(chunk)
      if (rest !== undefined) this.#reader.push(rest)
    } catch (reason) {
      if (!(reason instanceof Http2Error)) throw reason
      this.#fail(reason.code)
      return
    }
    // A client that does not read its answers gets to send no more requests.
    if (this.#writer.isFull) this.#socket.pause()
  }

  /** Takes no new streams; ends when those that are open have ended. */
  shutDown(): void {
    if (this.#closing) return
    this.#closing = true
    this.#writer.goAway(this.#lastStreamId, http2ErrorCode.noError)
    this.#endIfIdle()
  }

  /** Pings a client that has been silent for long, and drops one that does not answer. */
  checkAlive(): void {
    const due = this.#keepAlive.check()
    if (due === 'drop') this.#socket.destroy()
    else if (due === 'ping') this.#writer.ping(keepAlivePing, 0)
  }

  sendHeaders(stream: Http2Stream, block: Uint8Array): void {
    this.#keepAlive.answered()
    this.#sender.headers(stream, block)
  }

  sendMessage(stream: Http2Stream, payload: Uint8Array): boolean {
    this.#budget.earn()
    this.#keepAlive.answered()
    return this.#sender.message(stream, payload)
  }

  sendData(stream: Http2Stream, bytes: Uint8Array): boolean {
    this.#budget.earn()
    return this.#sender.data(stream, bytes)
  }

  sendLastData(stream: Http2Stream, bytes: Uint8Array): void {
    this.#sender.lastData(stream, bytes)
  }

  sendTrailers(stream: Http2Stream, block: Uint8Array): void {
    this.#keepAlive.answered()
    this.#sender.trailers(stream, block)
  }

  resetStream(stream: Http2Stream, code: Http2ErrorCode): void {
    if (!this.#streams.has(stream.id)) return
    this.#writer.reset(stream.id, code)
    this.#remove(stream)
  }

  #onFrame(frame: Frame): void {
    try {
      this.#dispatch(frame)
    } catch (reason) {
      if (!(reason instanceof Http2Error) || reason.streamId === 0) throw reason
      this.#budget.spend()
      this.#writer.reset(reason.streamId, reason.code)
      this.#dropStream(reason.streamId)
    }
  }

  #dispatch(frame: Frame): void {
    const { type } = frame
    if (!this.#settingsReceived && type !== frameType.settings) {
      throw protocolError('the first frame must be SETTINGS')
    }
    this.#assembler.check(frame)
    switch (type) {
      case frameType.data:
        return this.#onData(frame)
      case frameType.headers:
        return this.#assembler.headers(frame)
      case frameType.continuation:
        return this.#assembler.continuation(frame)
      case frameType.windowUpdate:
        return this.#onWindowUpdate(frame)
      case frameType.rstStream:
        return this.#onReset(frame)
      case frameType.settings:
        return this.#onSettings(frame)
      case frameType.ping:
        return this.#onPing(frame)
      case frameType.priority:
        this.#budget.spend()
        return checkPriority(frame)
      case frameType.goaway:
        if (frame.streamId !== 0) throw protocolError('GOAWAY on a stream')
        return
      case frameType.pushPromise:
        throw protocolError('PUSH_PROMISE from a client')
      default:
        // Unknown frame types are extensions to be passed over.
        this.#budget.spend()
    }
  }

  #onData(frame: Frame): void {
    const { streamId } = frame
    const length = frame.end - frame.start
    if (streamId === 0) throw protocolError('DATA on stream 0')
    this.#receiveWindow.take(length)
    this.#refill(this.#receiveWindow, 0)
    const { start, end } = unpad(frame)
    const stream = this.#streams.get(streamId)
    if (stream === undefined || stream.remoteEnded) {
      if (streamId > this.#lastStreamId) throw protocolError('DATA on an idle stream')
      throw new Http2Error(http2ErrorCode.streamClosed, 'DATA on a closed stream', streamId)
    }
    stream.receiveWindow.take(length)
    const isEnd = (frame.flags & frameFlag.endStream) !== 0
    if (isEnd) {
      stream.remoteEnded = true
    } else {
      if (end === start) this.#budget.spend()
      this.#refill(stream.receiveWindow, streamId)
    }
    stream.handler?.data(frame.buffer, start, end, isEnd)
  }

  #refill(window: ReceiveWindow, streamId: number): void {
    const increment = window.refill()
    if (increment > 0) this.#writer.windowUpdate(streamId, increment)
  }

  #onHeaderBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    if (streamId <= this.#lastStreamId) {
      this.#onTrailers(streamId, isEnd, buffer, start, end)
      return
    }
    this.#lastStreamId = streamId
    const headers = this.#decoder.decode(streamId, buffer, start, end)
    if (this.#closing || this.#streams.size >= this.#limits.concurrentStreamsMax) {
      throw new Http2Error(http2ErrorCode.refusedStream, 'too many streams', streamId)
    }
    const window = this.#sender.streamWindow
    const stream = new Http2Stream(streamId, this, window)
    this.#streams.set(streamId, stream)
    stream.remoteEnded = isEnd
    stream.handler = this.#server.open(stream, headers)
    if (isEnd) stream.handler.data(buffer, end, end, true)
  }

  #onTrailers(streamId: number, isEnd: boolean, buffer: Buffer, start: number, end: number): void {
    this.#decoder.pass(buffer, start, end)
    const stream = this.#streams.get(streamId)
    if (stream === undefined || stream.remoteEnded) {
      throw new Http2Error(http2ErrorCode.streamClosed, 'HEADERS on a closed stream', streamId)
    }
    if (!isEnd) {
      throw new Http2Error(http2ErrorCode.protocolError, 'trailers that end nothing', streamId)
    }
    stream.remoteEnded = true
    stream.handler?.data(buffer, end, end, true)
  }

  #onWindowUpdate(frame: Frame): void {
    const { streamId } = frame
    if (frame.end - frame.start !== 4) throw frameSizeError('WINDOW_UPDATE')
    const increment = frame.buffer.readUInt32BE(frame.start) & windowSizeMax
    if (streamId > this.#lastStreamId) throw protocolError('WINDOW_UPDATE on an idle stream')
    if (increment === 0) {
      throw new Http2Error(http2ErrorCode.protocolError, 'WINDOW_UPDATE of 0', streamId)
    }
    if (streamId === 0) {
      this.#sender.grow(increment)
      return
    }
    const stream = this.#streams.get(streamId)
    if (stream !== undefined) this.#sender.growStream(stream, increment)
  }

  #onReset(frame: Frame): void {
    const { streamId } = frame
    if (frame.end - frame.start !== 4) throw frameSizeError('RST_STREAM')
    if (streamId === 0 || streamId > this.#lastStreamId) throw protocolError('RST_STREAM')
    this.#budget.spend()
    this.#dropStream(streamId)
  }

  #onSettings(frame: Frame): void {
    if (frame.streamId !== 0) throw protocolError('SETTINGS on a stream')
    this.#budget.spend()
    if ((frame.flags & frameFlag.ack) !== 0) {
      if (frame.end !== frame.start) throw frameSizeError('SETTINGS')
      if (!this.#settingsReceived) throw protocolError('the first frame must be SETTINGS')
      this.#decoder.dropTable()
      return
    }
    this.#settingsReceived = true
    const initialWindowSize = parseInitialWindowSize(frame)
    if (initialWindowSize !== undefined) {
      this.#sender.resizeStreams(this.#streams.values(), initialWindowSize)
    }
    this.#writer.settings([], frameFlag.ack)
  }

  #onPing(frame: Frame): void {
    if (frame.streamId !== 0) throw protocolError('PING on a stream')
    if (frame.end - frame.start !== 8) throw frameSizeError('PING')
    this.#budget.spend()
    if ((frame.flags & frameFlag.ack) !== 0) return
    if (!this.#arePingsFree && this.#keepAlive.isPingTooEarly(this.#streams.size > 0)) {
      this.#fail(http2ErrorCode.enhanceYourCalm, 'too_many_pings')
      return
    }
    this.#writer.ping(frame.buffer.subarray(frame.start, frame.end), frameFlag.ack)
  }

  #onLocalEnd(stream: Http2Stream): void {
    this.#budget.earn()
    // The client need not send what nobody reads.
    if (!stream.remoteEnded) this.#writer.reset(stream.id, http2ErrorCode.noError)
    this.#remove(stream)
  }

  #dropStream(streamId: number): void {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    this.#remove(stream)
    stream.handler?.closed()
  }

  #remove(stream: Http2Stream): void {
    this.#sender.drop(stream)
    this.#streams.delete(stream.id)
    this.#endIfIdle()
  }

  #endIfIdle(): void {
    if (!this.#closing || this.#streams.size > 0 || this.#ended) return
    this.#ended = true
    this.#writer.flush()
    this.#socket.end()
  }

  #fail(code: Http2ErrorCode, why = ''): void {
    this.#writer.goAway(this.#lastStreamId, code, why)
    this.#ended = true
    this.#writer.flush()
    this.#socket.end()
    // Unread input would turn the close into a reset and GOAWAY could be lost: read on, and drop it.
    this.#socket.resume()
    this.#closeStreams()
    setTimeout(() => this.#socket.destroy(), failedLingerMs).unref()
  }

  #onDrain(): void {
    this.#sender.pump()
    if (!this.#writer.isFull) this.#socket.resume()
  }

  #onSocketClosed(): void {
    this.#ended = true
    this.#closeStreams()
    this.#onClosed()
  }

  #closeStreams(): void {
    for (const stream of this.#streams.values()) {
      this.#streams.delete(stream.id)
      this.#sender.drop(stream)
      stream.handler?.closed()
    }
  }
}
