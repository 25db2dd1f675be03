// The client's side of HTTP/2, just enough to drive a gRPC server faster than it can answer: frames are prepared as bytes, answers are
// walked frame by frame. Header blocks use the static table only, so a block never changes.

export const frameType = { data: 0, headers: 1, rst: 3, settings: 4, ping: 6, goAway: 7, window: 8 }
export const endStream = 1
export const ack = 1
const endHeaders = 4
export const frameHeaderSizeBytes = 9
const grpcHeaderSizeBytes = 5
/** 2^31 - 1, the largest window: the server never has to wait for us. */
const windowMax = 0x7fff_ffff
const windowDefault = 65_535

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameHeaderSizeBytes + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(streamId, 5)
  bytes.set(payload, frameHeaderSizeBytes)
  return bytes
}

/** Preface, settings (no header table, large stream window) and a large connection window. */
export function connectionStart(): Buffer {
  const settings = Buffer.alloc(12)
  settings.writeUInt16BE(1, 0)
  settings.writeUInt32BE(0, 2)
  settings.writeUInt16BE(4, 6)
  settings.writeUInt32BE(windowMax, 8)
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(frameType.settings, 0, 0, settings),
    windowUpdate(windowMax - windowDefault),
  ])
}

export function windowUpdate(increment: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(increment)
  return frame(frameType.window, 0, 0, payload)
}

function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
}

/** `more`: short names and values, such as a token. */
export function requestHeaders(
  path: string,
  authority: string,
  more: Readonly<Record<string, string>> = {},
): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86]),
    Buffer.from([0x04]),
    literal(path),
    Buffer.from([0x01]),
    literal(authority),
    Buffer.from([0x0f, 0x10]),
    literal('application/grpc'),
    Buffer.from([0x00]),
    literal('te'),
    literal('trailers'),
    ...Object.entries(more).flatMap(([name, value]) => [
      Buffer.from([0x00]),
      literal(name),
      literal(value),
    ]),
  ])
}

export function headersFrame(streamId: number, block: Uint8Array): Buffer {
  return frame(frameType.headers, endHeaders, streamId, block)
}

/** One gRPC message in one DATA frame. */
export function messageFrame(streamId: number, message: Uint8Array, flags = 0): Buffer {
  const payload = Buffer.alloc(grpcHeaderSizeBytes + message.length)
  payload.writeUInt32BE(message.length, 1)
  payload.set(message, grpcHeaderSizeBytes)
  return frame(frameType.data, flags, streamId, payload)
}

export type OnFrame = (type: number, flags: number, streamId: number, payload: Buffer) => void

/** Cuts a byte stream into frames; payloads are views. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer, onFrame: OnFrame): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + frameHeaderSizeBytes <= bytes.length) {
      const end = at + frameHeaderSizeBytes + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      const streamId = bytes.readUInt32BE(at + 5) & windowMax
      const payload = bytes.subarray(at + frameHeaderSizeBytes, end)
      onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, streamId, payload)
      at = end
    }
    this.#rest = bytes.subarray(at)
  }
}

/** Cuts the DATA of one stream into gRPC messages. */
export class MessageCutter {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + grpcHeaderSizeBytes <= bytes.length) {
      const end = at + grpcHeaderSizeBytes + bytes.readUInt32BE(at + 1)
      if (end > bytes.length) break
      onMessage(bytes.subarray(at + grpcHeaderSizeBytes, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
  }
}
