// The server side of one HTTP/2 connection (RFC 9113): frames in, streams and their windows, and every rule a client can break. What
// the headers mean and who serves a stream is the server's business.
import type { Duplex } from 'node:stream'
import { HpackDecoder } from '../hpack/hpack-decoder.ts'
import type { HeaderField } from '../hpack/static-table.ts'
import { FrameBudget } from './frame-budget.ts'
import { FrameReader } from './frame-reader.ts'
import type { Frame } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import type { HeaderCache } from './header-cache.ts'
import {
  connectionPreface,
  defaultFrameSizeMax,
  defaultWindowSize,
  frameFlag,
  frameType,
  Http2Error,
  http2ErrorCode,
  setting,
  windowSizeMax,
} from './http2-protocol.ts'
import type { Http2ErrorCode } from './http2-protocol.ts'
import { Http2Stream } from './http2-stream.ts'
import type { StreamHandler, StreamTransport } from './http2-stream.ts'
import { StreamSender } from './stream-sender.ts'

export const concurrentStreamsMax = 10_000
export const headerListSizeMax = 16_384
const headerBlockBytesMax = 32_768
/** More than the largest message, so that a unary call needs no window update of its stream. */
const streamReceiveWindow = 4_194_304
const connectionReceiveWindow = 16_777_216

export interface Http2Server<H> {
  readonly cache: HeaderCache<H>
  /** Undefined: the request is malformed. */
  parseHeaders(fields: readonly HeaderField[]): H | undefined
  /** Whether a client is likely to send the same headers again. */
  isConstant(headers: H): boolean
  /** Serves a new stream. */
  open(stream: Http2Stream, headers: H): StreamHandler
}

export class Http2Connection<H> implements StreamTransport {
  readonly #socket: Duplex
  readonly #server: Http2Server<H>
  readonly #writer: FrameWriter
  readonly #sender: StreamSender
  readonly #reader: FrameReader
  readonly #decoder = new HpackDecoder()
  readonly #budget: FrameBudget
  readonly #streams = new Map<number, Http2Stream>()
  readonly #onClosed: () => void
  #preface: Buffer | undefined = Buffer.alloc(0)
  #lastStreamId = 0
  #receiveWindow = connectionReceiveWindow
  #settingsReceived = false
  #settingsAcked = false
  /** A header block that is not complete. */
  #assembly: { streamId: number; isEnd: boolean; parts: Buffer[]; size: number } | undefined
  #closing = false
  #ended = false

  /** Bytes the socket gave before belong in `push`; `onClosed` is called once when the connection is gone. */
  constructor(options: {
    readonly socket: Duplex
    readonly server: Http2Server<H>
    readonly nowMs: () => number
    readonly onClosed: () => void
  }) {
    this.#socket = options.socket
    this.#server = options.server
    this.#onClosed = options.onClosed
    this.#budget = new FrameBudget(options.nowMs)
    this.#writer = new FrameWriter(options.socket)
    this.#sender = new StreamSender(this.#writer, (stream) => this.#onLocalEnd(stream))
    this.#reader = new FrameReader((frame) => this.#onFrame(frame))
    this.#sendSettings()
    const { socket } = options
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

  get streamCount(): number {
    return this.#streams.size
  }

  /** Feeds bytes that came from the socket. */
  push(chunk: Buffer): void {
    if (this.#ended) return
    try {
      const rest = this.#preface === undefined ? chunk : this.#checkPreface(chunk)
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
    this.#goAway(http2ErrorCode.noError)
    this.#endIfIdle()
  }

  sendHeaders(stream: Http2Stream, block: Uint8Array): void {
    this.#sender.headers(stream, block)
  }

  sendMessage(stream: Http2Stream, payload: Uint8Array): boolean {
    return this.#sender.message(stream, payload)
  }

  sendTrailers(stream: Http2Stream, block: Uint8Array): void {
    this.#sender.trailers(stream, block)
  }

  resetStream(stream: Http2Stream, code: Http2ErrorCode): void {
    if (!this.#streams.has(stream.id)) return
    this.#writeReset(stream.id, code)
    this.#remove(stream)
  }

  #sendSettings(): void {
    const settings = [
      [setting.headerTableSize, 0],
      [setting.concurrentStreamsMax, concurrentStreamsMax],
      [setting.initialWindowSize, streamReceiveWindow],
      [setting.headerListSizeMax, headerListSizeMax],
    ] as const
    this.#writer.frameHeader(settings.length * 6, frameType.settings, 0, 0)
    for (const [id, value] of settings) {
      this.#writer.uint16(id)
      this.#writer.uint32(value)
    }
    this.#writeWindowUpdate(0, connectionReceiveWindow - defaultWindowSize)
  }

  #checkPreface(chunk: Buffer): Buffer | undefined {
    const bytes = Buffer.concat([this.#preface ?? Buffer.alloc(0), chunk])
    const seen = bytes.toString('latin1', 0, Math.min(bytes.length, connectionPreface.length))
    if (!connectionPreface.startsWith(seen)) {
      throw new Http2Error(http2ErrorCode.protocolError, 'connection preface')
    }
    this.#preface = seen.length < connectionPreface.length ? bytes : undefined
    return this.#preface === undefined ? bytes.subarray(connectionPreface.length) : undefined
  }

  #onFrame(frame: Frame): void {
    try {
      this.#dispatch(frame)
    } catch (reason) {
      if (!(reason instanceof Http2Error) || reason.streamId === 0) throw reason
      this.#budget.spend()
      this.#writeReset(reason.streamId, reason.code)
      this.#dropStream(reason.streamId)
    }
  }

  #dispatch(frame: Frame): void {
    const { type } = frame
    if (!this.#settingsReceived && type !== frameType.settings) {
      throw protocolError('the first frame must be SETTINGS')
    }
    const isContinuation = type === frameType.continuation
    if ((this.#assembly !== undefined) !== isContinuation) throw protocolError('CONTINUATION')
    switch (type) {
      case frameType.data:
        return this.#onData(frame)
      case frameType.headers:
        return this.#onHeaders(frame)
      case frameType.continuation:
        return this.#onContinuation(frame)
      case frameType.windowUpdate:
        return this.#onWindowUpdate(frame)
      case frameType.rstStream:
        return this.#onReset(frame)
      case frameType.settings:
        return this.#onSettings(frame)
      case frameType.ping:
        return this.#onPing(frame)
      case frameType.priority:
        return this.#onPriority(frame)
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
    this.#receiveWindow -= length
    if (this.#receiveWindow < 0) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'connection window exceeded')
    }
    if (this.#receiveWindow < connectionReceiveWindow / 2) {
      this.#writeWindowUpdate(0, connectionReceiveWindow - this.#receiveWindow)
      this.#receiveWindow = connectionReceiveWindow
    }
    const { start, end } = unpad(frame)
    const stream = this.#streams.get(streamId)
    if (stream === undefined || stream.remoteEnded) {
      if (streamId > this.#lastStreamId) throw protocolError('DATA on an idle stream')
      throw new Http2Error(http2ErrorCode.streamClosed, 'DATA on a closed stream', streamId)
    }
    stream.receiveWindow -= length
    if (stream.receiveWindow < 0) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'stream window exceeded', streamId)
    }
    const isEnd = (frame.flags & frameFlag.endStream) !== 0
    if (isEnd) {
      stream.remoteEnded = true
    } else {
      if (end === start) this.#budget.spend()
      if (stream.receiveWindow < streamReceiveWindow / 2) {
        this.#writeWindowUpdate(streamId, streamReceiveWindow - stream.receiveWindow)
        stream.receiveWindow = streamReceiveWindow
      }
    }
    stream.handler?.data(frame.buffer, start, end, isEnd)
  }

  #onHeaders(frame: Frame): void {
    const { streamId, flags } = frame
    if ((streamId & 1) === 0) throw protocolError('HEADERS on an even stream')
    let { start, end } = unpad(frame)
    if ((flags & frameFlag.priority) !== 0) {
      start += 5
      if (start > end) throw new Http2Error(http2ErrorCode.frameSizeError, 'HEADERS')
    }
    const isEnd = (flags & frameFlag.endStream) !== 0
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#onHeaderBlock(streamId, isEnd, frame.buffer, start, end)
    } else {
      const part = frame.buffer.subarray(start, end)
      this.#assembly = { streamId, isEnd, parts: [part], size: part.length }
    }
  }

  #onContinuation(frame: Frame): void {
    const assembly = this.#assembly
    if (assembly === undefined || frame.streamId !== assembly.streamId) {
      throw protocolError('CONTINUATION of another stream')
    }
    if (frame.start === frame.end) this.#budget.spend()
    assembly.parts.push(frame.buffer.subarray(frame.start, frame.end))
    assembly.size += frame.end - frame.start
    if (assembly.size > headerBlockBytesMax) {
      throw new Http2Error(http2ErrorCode.enhanceYourCalm, 'header block too large')
    }
    if ((frame.flags & frameFlag.endHeaders) === 0) return
    this.#assembly = undefined
    const block = Buffer.concat(assembly.parts)
    this.#onHeaderBlock(assembly.streamId, assembly.isEnd, block, 0, block.length)
  }

  #onHeaderBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    if (streamId <= this.#lastStreamId) {
      this.#onTrailers(streamId, isEnd, buffer.subarray(start, end))
      return
    }
    this.#lastStreamId = streamId
    const headers = this.#decodeHeaders(streamId, buffer, start, end)
    if (this.#closing || this.#streams.size >= concurrentStreamsMax) {
      throw new Http2Error(http2ErrorCode.refusedStream, 'too many streams', streamId)
    }
    const windows = { send: this.#sender.streamWindow, receive: streamReceiveWindow }
    const stream = new Http2Stream(streamId, this, windows)
    this.#streams.set(streamId, stream)
    stream.remoteEnded = isEnd
    stream.handler = this.#server.open(stream, headers)
    if (isEnd) stream.handler.data(buffer, end, end, true)
  }

  #decodeHeaders(streamId: number, buffer: Buffer, start: number, end: number): H {
    const server = this.#server
    const { isStateless } = this.#decoder
    const key = isStateless ? buffer.toString('latin1', start, end) : ''
    const known = isStateless ? server.cache.get(key) : undefined
    if (known !== undefined) return known
    const fields = this.#decoder.decode(buffer.subarray(start, end), headerListSizeMax)
    if (fields === undefined) {
      throw new Http2Error(http2ErrorCode.enhanceYourCalm, 'header list too large', streamId)
    }
    const headers = server.parseHeaders(fields)
    if (headers === undefined) {
      throw new Http2Error(http2ErrorCode.protocolError, 'malformed request', streamId)
    }
    if (isStateless && server.isConstant(headers)) server.cache.set(key, headers)
    return headers
  }

  #onTrailers(streamId: number, isEnd: boolean, block: Buffer): void {
    this.#decoder.decode(block, headerListSizeMax)
    const stream = this.#streams.get(streamId)
    if (stream === undefined || stream.remoteEnded) {
      throw new Http2Error(http2ErrorCode.streamClosed, 'HEADERS on a closed stream', streamId)
    }
    if (!isEnd) {
      throw new Http2Error(http2ErrorCode.protocolError, 'trailers that end nothing', streamId)
    }
    stream.remoteEnded = true
    stream.handler?.data(block, block.length, block.length, true)
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
    const length = frame.end - frame.start
    if (frame.streamId !== 0) throw protocolError('SETTINGS on a stream')
    this.#budget.spend()
    if ((frame.flags & frameFlag.ack) !== 0) {
      if (length !== 0) throw frameSizeError('SETTINGS')
      if (!this.#settingsReceived) throw protocolError('the first frame must be SETTINGS')
      if (!this.#settingsAcked) this.#decoder.limitTable(0)
      this.#settingsAcked = true
      return
    }
    if (length % 6 !== 0) throw frameSizeError('SETTINGS')
    this.#settingsReceived = true
    for (let at = frame.start; at < frame.end; at += 6) {
      this.#applySetting(frame.buffer.readUInt16BE(at), frame.buffer.readUInt32BE(at + 2))
    }
    this.#writer.frameHeader(0, frameType.settings, frameFlag.ack, 0)
  }

  #applySetting(id: number, value: number): void {
    if (id === setting.enablePush && value > 1) throw protocolError('SETTINGS_ENABLE_PUSH')
    if (id === setting.frameSizeMax) {
      if (value < defaultFrameSizeMax || value > 0xff_ffff) {
        throw protocolError('SETTINGS_MAX_FRAME_SIZE')
      }
      // Larger frames would only make other streams wait longer.
      this.#sender.frameSizeMax = Math.min(value, defaultFrameSizeMax)
    }
    if (id !== setting.initialWindowSize) return
    if (value > windowSizeMax) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'SETTINGS_INITIAL_WINDOW_SIZE')
    }
    const change = value - this.#sender.streamWindow
    this.#sender.streamWindow = value
    for (const stream of this.#streams.values()) this.#growBySetting(stream, change)
  }

  #growBySetting(stream: Http2Stream, change: number): void {
    if (stream.sendWindow + change > windowSizeMax) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'SETTINGS_INITIAL_WINDOW_SIZE')
    }
    this.#sender.growStream(stream, change)
  }

  #onPing(frame: Frame): void {
    if (frame.streamId !== 0) throw protocolError('PING on a stream')
    if (frame.end - frame.start !== 8) throw frameSizeError('PING')
    this.#budget.spend()
    if ((frame.flags & frameFlag.ack) !== 0) return
    this.#writer.frameHeader(8, frameType.ping, frameFlag.ack, 0)
    this.#writer.bytes(frame.buffer.subarray(frame.start, frame.end))
  }

  #onPriority(frame: Frame): void {
    if (frame.streamId === 0) throw protocolError('PRIORITY on stream 0')
    this.#budget.spend()
    if (frame.end - frame.start !== 5) {
      throw new Http2Error(http2ErrorCode.frameSizeError, 'PRIORITY', frame.streamId)
    }
  }

  #onLocalEnd(stream: Http2Stream): void {
    // The client need not send what nobody reads.
    if (!stream.remoteEnded) this.#writeReset(stream.id, http2ErrorCode.noError)
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

  #fail(code: Http2ErrorCode): void {
    this.#goAway(code)
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

  #goAway(code: Http2ErrorCode): void {
    this.#writer.frameHeader(8, frameType.goaway, 0, 0)
    this.#writer.uint32(this.#lastStreamId)
    this.#writer.uint32(code)
  }

  #writeReset(streamId: number, code: Http2ErrorCode): void {
    this.#writer.frameHeader(4, frameType.rstStream, 0, streamId)
    this.#writer.uint32(code)
  }

  #writeWindowUpdate(streamId: number, increment: number): void {
    this.#writer.frameHeader(4, frameType.windowUpdate, 0, streamId)
    this.#writer.uint32(increment)
  }
}

const failedLingerMs = 1000

function unpad(frame: Frame): { start: number; end: number } {
  const { start, end } = frame
  if ((frame.flags & frameFlag.padded) === 0) return { start, end }
  const padding = frame.buffer[start] ?? 0
  if (start === end || start + 1 + padding > end) throw protocolError('padding')
  return { start: start + 1, end: end - padding }
}

function protocolError(message: string): Http2Error {
  return new Http2Error(http2ErrorCode.protocolError, message)
}

function frameSizeError(message: string): Http2Error {
  return new Http2Error(http2ErrorCode.frameSizeError, message)
}
