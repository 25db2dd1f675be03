// Frames of SPDY/3.1 as Kubernetes' clients use it: reading from bytes as they come, and writing. Data is passed on piece by piece and
// never held; control frames are held whole and are small.

/** The other side broke the protocol; the connection ends. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError'
  readonly code = 'SPDY'
}

export type SpdyFrame =
  | {
      readonly type: 'synStream'
      readonly id: number
      readonly isFinal: boolean
      readonly block: Buffer
    }
  | { readonly type: 'headers'; readonly block: Buffer }
  | { readonly type: 'rstStream'; readonly id: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway' }
  /** A piece of a data frame; `isFinal` comes with its last piece. */
  | {
      readonly type: 'data'
      readonly id: number
      readonly isFinal: boolean
      readonly bytes: Buffer
    }

const headBytes = 8
export const controlBytesMax: number = 64 * 1024
const controlBit = 0x80
const version = 3
const idMask = 0x7fffffff
const finFlag = 1
const types = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const
/** Where the compressed block begins in the body of a frame. */
const synStreamBlockOffset = 10
const headersBlockOffset = 4

export class SpdyFrameReader {
  #held: Buffer = Buffer.alloc(0)
  /** Of the data frame at hand. */
  #dataId = 0
  #dataLeft = 0
  #isDataFinal = false

  /** All frames that end in `chunk`, and all data in it. Throws SpdyError. */
  read(chunk: Buffer): Iterable<SpdyFrame> {
    return this.#frames(chunk)
  }

  *#frames(chunk: Buffer): Generator<SpdyFrame> {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    while (bytes.length > 0) {
      if (this.#dataLeft > 0) {
        const piece = bytes.subarray(0, this.#dataLeft)
        bytes = bytes.subarray(piece.length)
        this.#dataLeft -= piece.length
        const isFinal = this.#isDataFinal && this.#dataLeft === 0
        yield { type: 'data', id: this.#dataId, isFinal, bytes: piece }
        continue
      }
      const size = headBytes + this.#bodyToHold(bytes)
      if (bytes.length < size) break
      const frame = this.#frame(bytes.subarray(0, size))
      bytes = bytes.subarray(size)
      if (frame !== undefined) yield frame
    }
    this.#held = bytes
  }

  /** How much of the body must be here before the frame can be looked at. */
  #bodyToHold(bytes: Buffer): number {
    if (bytes.length < headBytes) return 0
    const isControl = (bytes[0] ?? 0) >= controlBit
    if (!isControl) return 0
    // Before its body is waited for: what is no SPDY ends at once.
    if ((bytes.readUInt16BE(0) & 0x7fff) !== version) throw new SpdyError('the version is not 3')
    const length = bytes.readUIntBE(5, 3)
    if (length > controlBytesMax) throw new SpdyError('the control frame is too long')
    return length
  }

  #frame(bytes: Buffer): SpdyFrame | undefined {
    const first = bytes.readUInt32BE(0)
    const isFinal = ((bytes[4] ?? 0) & finFlag) !== 0
    if ((bytes[0] ?? 0) < controlBit) return this.#dataFrame(first, isFinal, bytes.readUIntBE(5, 3))
    return controlFrame(first & 0xffff, isFinal, bytes.subarray(headBytes))
  }

  #dataFrame(id: number, isFinal: boolean, length: number): SpdyFrame | undefined {
    if (length === 0) return { type: 'data', id, isFinal, bytes: Buffer.alloc(0) }
    this.#dataId = id
    this.#dataLeft = length
    this.#isDataFinal = isFinal
    return undefined
  }
}

/** undefined: one that says nothing we act on. */
const controlFrame = (type: number, isFinal: boolean, body: Buffer): SpdyFrame | undefined => {
  const need = (size: number): void => {
    if (body.length < size) throw new SpdyError('the control frame is cut off')
  }
  switch (type) {
    case types.synStream:
      need(synStreamBlockOffset)
      return {
        type: 'synStream',
        id: body.readUInt32BE(0) & idMask,
        isFinal,
        block: body.subarray(synStreamBlockOffset),
      }
    case types.synReply:
    case types.headers:
      need(headersBlockOffset)
      return { type: 'headers', block: body.subarray(headersBlockOffset) }
    case types.rstStream:
      need(8)
      return { type: 'rstStream', id: body.readUInt32BE(0) & idMask }
    case types.ping:
      need(4)
      return { type: 'ping', id: body.readUInt32BE(0) }
    case types.goAway:
      return { type: 'goAway' }
    default:
      return undefined
  }
}

const control = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE((controlBit << 8) | version, 0)
  head.writeUInt16BE(type, 2)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

const numbers = (...values: readonly number[]): Buffer => {
  const body = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) body.writeUInt32BE(value, index * 4)
  return body
}

export const encodeSynReply = (id: number, block: Buffer): Buffer =>
  control(types.synReply, Buffer.concat([numbers(id), block]))

export const resetCodes = { protocolError: 1, refusedStream: 3, cancel: 5 } as const

export const encodeRstStream = (id: number, code: number): Buffer =>
  control(types.rstStream, numbers(id, code))

export const encodePing = (id: number): Buffer => control(types.ping, numbers(id))

export const encodeGoAway = (lastId: number): Buffer => control(types.goAway, numbers(lastId, 0))

/** The head of a data frame whose `length` bytes follow. */
export const encodeDataHead = (id: number, length: number, isFinal: boolean): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(id, 0)
  head[4] = isFinal ? finFlag : 0
  head.writeUIntBE(length, 5, 3)
  return head
}
