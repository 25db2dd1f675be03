// What goes out on one connection: frames are laid into one buffer, written once per turn of the event loop. A turn that answers a
// thousand requests costs one write per connection.
import type { Duplex } from 'node:stream'
import { frameHeaderSize, frameType } from './http2-protocol.ts'
import type { Http2ErrorCode } from './http2-protocol.ts'

const firstSizeBytes = 1024
const flushSizeBytes = 65_536
/** Bytes the socket may hold unsent before producers are told to wait. */
export const socketBufferBytesMax = 1_048_576

let dirty: FrameWriter[] = []

function flushDirty(): void {
  const writers = dirty
  dirty = []
  for (const writer of writers) writer.flush()
}

export class FrameWriter {
  readonly #socket: Duplex
  #buffer: Buffer = Buffer.allocUnsafeSlow(firstSizeBytes)
  #size = 0
  readonly #isPrompt: boolean
  #isDirty = false

  /** `isPrompt`: writes once for each task of the event loop instead, which costs more writes and saves a turn where turns are long. */
  constructor(socket: Duplex, isPrompt = false) {
    this.#socket = socket
    this.#isPrompt = isPrompt
  }

  /** The socket does not keep up: wait for its `drain`. */
  get isFull(): boolean {
    return this.#socket.writableLength > socketBufferBytesMax
  }

  frameHeader(length: number, type: number, flags: number, streamId: number): void {
    this.#reserve(frameHeaderSize)
    const buffer = this.#buffer
    const at = this.#size
    buffer[at] = length >>> 16
    buffer[at + 1] = length >>> 8
    buffer[at + 2] = length
    buffer[at + 3] = type
    buffer[at + 4] = flags
    buffer[at + 5] = streamId >>> 24
    buffer[at + 6] = streamId >>> 16
    buffer[at + 7] = streamId >>> 8
    buffer[at + 8] = streamId
    this.#size = at + frameHeaderSize
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#size = this.#buffer.writeUInt32BE(value >>> 0, this.#size)
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#size = this.#buffer.writeUInt16BE(value, this.#size)
  }

  uint8(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#size++] = value
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#size)
    this.#size += bytes.length
  }

  settings(settings: readonly (readonly [id: number, value: number])[], flags: number): void {
    this.frameHeader(settings.length * 6, frameType.settings, flags, 0)
    for (const [id, value] of settings) {
      this.uint16(id)
      this.uint32(value)
    }
  }

  windowUpdate(streamId: number, increment: number): void {
    this.frameHeader(4, frameType.windowUpdate, 0, streamId)
    this.uint32(increment)
  }

  reset(streamId: number, code: Http2ErrorCode): void {
    this.frameHeader(4, frameType.rstStream, 0, streamId)
    this.uint32(code)
  }

  /** `why`: for the client's log. */
  goAway(lastStreamId: number, code: Http2ErrorCode, why = ''): void {
    const debugData = Buffer.from(why)
    this.frameHeader(8 + debugData.length, frameType.goaway, 0, 0)
    this.uint32(lastStreamId)
    this.uint32(code)
    this.bytes(debugData)
  }

  /** `data`: 8 bytes. */
  ping(data: Uint8Array, flags: number): void {
    this.frameHeader(8, frameType.ping, flags, 0)
    this.bytes(data)
  }

  /** Writes what was laid down so far to the socket; happens by itself at the end of the turn. */
  flush(): void {
    this.#isDirty = false
    if (this.#size > 0) this.#write()
  }

  #reserve(count: number): void {
    if (!this.#isDirty) {
      this.#isDirty = true
      if (this.#isPrompt) process.nextTick(() => this.flush())
      else {
        if (dirty.length === 0) setImmediate(flushDirty)
        dirty.push(this)
      }
    }
    if (this.#size + count > this.#buffer.length) this.#makeRoom(count)
  }

  #makeRoom(count: number): void {
    if (this.#size + count > flushSizeBytes && this.#size > 0) this.#write()
    if (this.#size + count <= this.#buffer.length) return
    const size = Math.max(this.#buffer.length * 2, this.#size + count)
    const larger = Buffer.allocUnsafeSlow(size)
    this.#buffer.copy(larger, 0, 0, this.#size)
    this.#buffer = larger
  }

  #write(): void {
    const socket = this.#socket
    const out = this.#buffer.subarray(0, this.#size)
    this.#size = 0
    if (!socket.writable) return
    socket.write(out)
    // What was not sent at once still belongs to the socket; and an idle connection keeps no large buffer.
    if (socket.writableLength > 0 || this.#buffer.length > flushSizeBytes) {
      this.#buffer = Buffer.allocUnsafeSlow(firstSizeBytes)
    }
  }
}
