// Pieces of several channels in one stream: a byte with the channel's number, four with the length, then the bytes. An empty piece ends
// its channel.
import { Writable, type Duplex, type Readable } from 'node:stream'

export type Channel = 0 | 1 | 2 | 3 | 4 | 5
export const stdinChannel: Channel = 0
export const stdoutChannel: Channel = 1
export const stderrChannel: Channel = 2
/** The last piece of an answer: how it went, as JSON. */
export const resultChannel: Channel = 3
export const resizeChannel: Channel = 4
/** The first piece of a request, as JSON. */
export const requestChannel: Channel = 5

export interface Frame {
  readonly channel: number
  readonly bytes: Buffer
}

const headBytes = 5
/** Commands have 256 KiB of words at most, pieces of streams 64 KiB. */
export const frameBytesMax: number = 1024 * 1024

/** Throws RangeError for what is longer than a piece may be. */
export const encodeFrame = (channel: Channel, bytes: Uint8Array): Buffer => {
  if (bytes.length > frameBytesMax) throw new RangeError('too long for one frame')
  const frame = Buffer.allocUnsafe(headBytes + bytes.length)
  frame[0] = channel
  frame.writeUInt32BE(bytes.length, 1)
  frame.set(bytes, headBytes)
  return frame
}

export const encodeJsonFrame = (channel: Channel, value: unknown): Buffer =>
  encodeFrame(channel, Buffer.from(JSON.stringify(value)))

/** Throws RangeError for a piece that is too long; what is cut off at the end is left out. */
export async function* readFrames(stream: Readable): AsyncGenerator<Frame, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  /** A piece of which some is still to come: each chunk is copied once, however small they are. */
  let partial: { readonly channel: number; readonly bytes: Buffer; size: number } | undefined
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (partial !== undefined) {
      const copied = rest.copy(partial.bytes, partial.size)
      partial.size += copied
      rest = rest.subarray(copied)
      if (partial.size < partial.bytes.length) continue
      yield { channel: partial.channel, bytes: partial.bytes }
      partial = undefined
    }
    while (rest.length >= headBytes) {
      const channel = rest[0] ?? 0
      const length = rest.readUInt32BE(1)
      if (length > frameBytesMax) throw new RangeError('a frame is too long')
      const end = headBytes + length
      if (rest.length < end) {
        partial = { channel, bytes: Buffer.allocUnsafe(length), size: 0 }
        partial.size = rest.copy(partial.bytes, 0, headBytes)
        rest = rest.subarray(rest.length)
      } else {
        yield { channel, bytes: rest.subarray(headBytes, end) }
        rest = rest.subarray(end)
      }
    }
  }
  return undefined
}

/** What is written goes out as pieces of one channel; takes no more than the stream does. */
export class FrameWriter extends Writable {
  readonly #stream: Duplex
  readonly #channel: Channel

  constructor(stream: Duplex, channel: Channel) {
    super()
    this.#stream = stream
    this.#channel = channel
    // Whoever writes on is told by 'close'.
    this.on('error', () => undefined)
    stream.once('close', () => this.destroy())
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#send(chunk, callback)
  }

  override _final(callback: () => void): void {
    this.#send(Buffer.alloc(0), callback)
  }

  #send(bytes: Uint8Array, callback: () => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) {
      this.destroy()
      return
    }
    for (let at = 0; at === 0 || at < bytes.length; at += frameBytesMax) {
      const isLast = at + frameBytesMax >= bytes.length
      const frame = encodeFrame(this.#channel, bytes.subarray(at, at + frameBytesMax))
      // A stream that broke tells by its 'close'.
      if (isLast) this.#stream.write(frame, () => callback())
      else this.#stream.write(frame)
    }
  }
}
