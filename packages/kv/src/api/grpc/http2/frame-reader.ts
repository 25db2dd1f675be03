// Cuts a byte stream into frames. A frame that came in pieces is put together once; all others are views of what the socket gave.
import {
  defaultFrameSizeMax,
  frameFlag,
  frameHeaderSize,
  frameSizeError,
  Http2Error,
  http2ErrorCode,
  protocolError,
} from './http2-protocol.ts'

export interface Frame {
  type: number
  flags: number
  streamId: number
  /** Payload as `buffer[start, end)`. */
  buffer: Buffer
  start: number
  end: number
}

export class FrameReader {
  readonly #onFrame: (frame: Frame) => void
  #rest: Buffer | undefined
  /** One object for all frames: its fields are read before the next frame. */
  readonly #frame: Frame = {
    type: 0,
    flags: 0,
    streamId: 0,
    buffer: Buffer.alloc(0),
    start: 0,
    end: 0,
  }

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  /** Throws FRAME_SIZE_ERROR as soon as a frame's length is known to be too large, and whatever `onFrame` throws. */
  push(chunk: Buffer): void {
    const rest = this.#rest
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    this.#rest = undefined
    let pos = 0
    while (pos + frameHeaderSize <= bytes.length) {
      const length =
        ((bytes[pos] ?? 0) << 16) | ((bytes[pos + 1] ?? 0) << 8) | (bytes[pos + 2] ?? 0)
      if (length > defaultFrameSizeMax) {
        throw frameSizeError(`frame of ${length} bytes`)
      }
      const end = pos + frameHeaderSize + length
      if (end > bytes.length) break
      const frame = this.#frame
      frame.type = bytes[pos + 3] ?? 0
      frame.flags = bytes[pos + 4] ?? 0
      frame.streamId = bytes.readUInt32BE(pos + 5) & 0x7fff_ffff
      frame.buffer = bytes
      frame.start = pos + frameHeaderSize
      frame.end = end
      pos = end
      this.#onFrame(frame)
    }
    if (pos < bytes.length) this.#rest = bytes.subarray(pos)
  }
}

/** The payload of DATA or HEADERS without its padding. */
export function unpad(frame: Frame): { start: number; end: number } {
  const { start, end } = frame
  if ((frame.flags & frameFlag.padded) === 0) return { start, end }
  const padding = frame.buffer[start] ?? 0
  if (start === end || start + 1 + padding > end) throw protocolError('padding')
  return { start: start + 1, end: end - padding }
}

/** PRIORITY is passed over, but must be well made. */
export function checkPriority(frame: Frame): void {
  if (frame.streamId === 0) throw protocolError('PRIORITY on stream 0')
  if (frame.end - frame.start !== 5) {
    throw new Http2Error(http2ErrorCode.frameSizeError, 'PRIORITY', frame.streamId)
  }
}
