// The sending half of a connection: keeps to the client's windows, sends no frame larger than every peer must take, and lets streams that wait take turns.
import type { FrameWriter } from './frame-writer.ts'
import {
  defaultFrameSizeMax,
  defaultWindowSize,
  frameFlag,
  frameType,
  Http2Error,
  http2ErrorCode,
  windowSizeMax,
} from './http2-protocol.ts'
import type { Http2Stream } from './http2-stream.ts'

const messagePrefixSize = 5
/** Answers that clients have not read yet: of one connection, and of all of a server. One more may come on top of each. */
export const unreadBytesMax = { connection: 67_108_864, server: 536_870_912 } as const
/** What all connections of a server have waiting. */
export interface UnreadBytes {
  count: number
}

/** In the place of trailers: an empty DATA frame ends the stream. */
const noTrailers = new Uint8Array(0)

/** Frames a stream may send in its turn while others wait. */
const framesPerTurnMax = 4

export class StreamSender {
  readonly #writer: FrameWriter
  readonly #onEnded: (stream: Http2Stream) => void
  readonly #waiting = new Set<Http2Stream>()
  readonly #unreadOfAll: UnreadBytes
  #unreadBytes = 0
  #window = defaultWindowSize
  #streamWindow = defaultWindowSize

  /** `onEnded` is called when a stream's last frame is written. */
  constructor(
    writer: FrameWriter,
    onEnded: (stream: Http2Stream) => void,
    unreadOfAll: UnreadBytes = { count: 0 },
  ) {
    this.#writer = writer
    this.#unreadOfAll = unreadOfAll
    this.#onEnded = onEnded
  }

  /** Window of a new stream. */
  get streamWindow(): number {
    return this.#streamWindow
  }

  /** Clients leave so much unread that no further answer may wait. */
  get isOverfull(): boolean {
    const { connection, server } = unreadBytesMax
    return this.#unreadBytes > connection || this.#unreadOfAll.count > server
  }

  headers(stream: Http2Stream, block: Uint8Array): void {
    if (stream.localEnded) return
    this.#writer.frameHeader(block.length, frameType.headers, frameFlag.endHeaders, stream.id)
    this.#writer.bytes(block)
  }

  /** A gRPC message. False: it waits. */
  message(stream: Http2Stream, payload: Uint8Array): boolean {
    if (stream.localEnded) return true
    const writer = this.#writer
    const size = payload.length + messagePrefixSize
    if (this.#takeWindow(stream, size)) {
      writer.frameHeader(size, frameType.data, 0, stream.id)
      writer.uint8(0)
      writer.uint32(payload.length)
      writer.bytes(payload)
      return true
    }
    const prefix = Buffer.alloc(messagePrefixSize)
    prefix.writeUInt32BE(payload.length, 1)
    stream.queue.push(prefix)
    this.#countUnread(messagePrefixSize)
    return this.#enqueue(stream, payload)
  }

  /** Bytes as they are. False: they wait, and must not be changed until they have left. */
  data(stream: Http2Stream, payload: Uint8Array): boolean {
    if (stream.localEnded) return true
    if (!this.#takeWindow(stream, payload.length)) return this.#enqueue(stream, payload)
    this.#writer.frameHeader(payload.length, frameType.data, 0, stream.id)
    this.#writer.bytes(payload)
    return true
  }

  /** The last bytes of a body, in one frame with its end where they fit. */
  lastData(stream: Http2Stream, payload: Uint8Array): void {
    if (stream.localEnded) return
    if (!this.#takeWindow(stream, payload.length)) {
      this.#enqueue(stream, payload)
      this.trailers(stream, noTrailers)
      return
    }
    this.#writer.frameHeader(payload.length, frameType.data, frameFlag.endStream, stream.id)
    this.#writer.bytes(payload)
    stream.localEnded = true
    this.#onEnded(stream)
  }

  trailers(stream: Http2Stream, block: Uint8Array): void {
    if (stream.localEnded) return
    if (stream.queue.length > 0) {
      stream.trailers = block
      return
    }
    const isData = block === noTrailers
    const type = isData ? frameType.data : frameType.headers
    const flags = isData ? frameFlag.endStream : frameFlag.endHeaders | frameFlag.endStream
    this.#writer.frameHeader(block.length, type, flags, stream.id)
    this.#writer.bytes(block)
    stream.localEnded = true
    this.#onEnded(stream)
  }

  /** Forgets what a stream has waiting. */
  drop(stream: Http2Stream): void {
    stream.localEnded = true
    for (const part of stream.queue) this.#countUnread(-part.length)
    stream.queue.length = 0
    this.#waiting.delete(stream)
  }

  /** WINDOW_UPDATE of the connection. */
  grow(increment: number): void {
    if (this.#window + increment > windowSizeMax) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'connection window overflow')
    }
    this.#window += increment
    this.pump()
  }

  /** WINDOW_UPDATE of a stream, or a change of all windows by a setting. */
  growStream(stream: Http2Stream, increment: number): void {
    if (stream.sendWindow + increment > windowSizeMax) {
      throw new Http2Error(http2ErrorCode.flowControlError, 'stream window overflow', stream.id)
    }
    stream.sendWindow += increment
    // To the end of what it may send: no other event need come that would let it go on.
    if (increment <= 0) return
    while (this.#waiting.has(stream) && this.#turn(stream));
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE: of new streams, and of those that are open. */
  resizeStreams(streams: Iterable<Http2Stream>, size: number): void {
    const change = size - this.#streamWindow
    this.#streamWindow = size
    for (const stream of streams) {
      if (stream.sendWindow + change > windowSizeMax) {
        throw new Http2Error(http2ErrorCode.flowControlError, 'SETTINGS_INITIAL_WINDOW_SIZE')
      }
      this.growStream(stream, change)
    }
  }

  /** Sends what waits, as far as windows and socket allow. */
  pump(): void {
    let progress = true
    while (progress && this.#window > 0 && !this.#writer.isFull) {
      progress = false
      for (const stream of this.#waiting) {
        if (this.#turn(stream)) progress = true
      }
    }
  }

  /** Whether a frame of that size may leave now; its window is taken then. */
  #takeWindow(stream: Http2Stream, size: number): boolean {
    const isFree = stream.queue.length === 0 && size <= defaultFrameSizeMax && !this.#writer.isFull
    if (!isFree || size > stream.sendWindow || size > this.#window) return false
    this.#window -= size
    stream.sendWindow -= size
    return true
  }

  /** Sends what may leave now. False: the rest waits. */
  #enqueue(stream: Http2Stream, payload: Uint8Array): boolean {
    if (payload.length > 0) stream.queue.push(payload)
    this.#countUnread(payload.length)
    while (this.#sendFrame(stream));
    if (stream.queue.length === 0) return true
    this.#waiting.add(stream)
    return false
  }

  #countUnread(bytes: number): void {
    this.#unreadBytes += bytes
    this.#unreadOfAll.count += bytes
  }

  #turn(stream: Http2Stream): boolean {
    let frames = 0
    while (frames < framesPerTurnMax && this.#sendFrame(stream)) frames++
    if (stream.queue.length === 0) {
      this.#waiting.delete(stream)
      if (stream.trailers === undefined) stream.handler?.writable()
      else this.trailers(stream, stream.trailers)
    } else if (frames > 0) {
      // To the end of the line.
      this.#waiting.delete(stream)
      this.#waiting.add(stream)
    }
    return frames > 0
  }

  #sendFrame(stream: Http2Stream): boolean {
    const { queue } = stream
    const room = Math.min(defaultFrameSizeMax, this.#window, stream.sendWindow)
    if (queue.length === 0 || room <= 0 || this.#writer.isFull) return false
    let size = 0
    for (const part of queue) {
      size += part.length
      if (size >= room) break
    }
    let left = Math.min(size, room)
    this.#countUnread(-left)
    this.#window -= left
    stream.sendWindow -= left
    this.#writer.frameHeader(left, frameType.data, 0, stream.id)
    while (left > 0) {
      const head = queue[0] ?? new Uint8Array(0)
      if (head.length <= left) {
        this.#writer.bytes(head)
        queue.shift()
        left -= head.length
      } else {
        this.#writer.bytes(head.subarray(0, left))
        queue[0] = head.subarray(left)
        left = 0
      }
    }
    return true
  }
}
