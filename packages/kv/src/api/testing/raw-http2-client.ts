// A client that writes any frame, right or wrong, and collects what comes back.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { encodeHeaderBlock } from '../grpc/hpack/header-block.ts'
import type { HeaderField } from '../grpc/hpack/static-table.ts'
import { HpackDecoder } from '../grpc/hpack/hpack-decoder.ts'
import { FrameReader } from '../grpc/http2/frame-reader.ts'
import {
  connectionPreface,
  defaultFrameSizeMax,
  frameFlag,
  frameType,
} from '../grpc/http2/http2-protocol.ts'

export interface SeenFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A gRPC message with its prefix. */
export function grpcMessage(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0]), uint32(body.length), body])
}

export function grpcRequestHeaders(path: string, more: readonly HeaderField[] = []): Buffer {
  const fields: HeaderField[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'test'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ]
  return Buffer.from(encodeHeaderBlock(fields))
}

export class RawHttp2Client {
  readonly frames: SeenFrame[] = []
  readonly #socket: Socket
  readonly #decoder = new HpackDecoder()
  isClosed = false

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect(Number(port), hostname)
    const reader = new FrameReader(({ type, flags, streamId, buffer, start, end }) => {
      const payload = Buffer.from(buffer.subarray(start, end))
      this.frames.push({ type, flags, streamId, payload })
    })
    this.#socket.on('data', (chunk: Buffer) => reader.push(chunk))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => {
      this.isClosed = true
    })
  }

  write(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#socket.write(chunk)
  }

  /** The preface and our settings, each a pair of id and value. */
  start(settings: readonly (readonly [number, number])[] = []): void {
    const payload = settings.map(([id, value]) =>
      Buffer.concat([Buffer.from([0, id]), uint32(value)]),
    )
    this.write(Buffer.from(connectionPreface))
    this.write(frame(frameType.settings, 0, 0, Buffer.concat(payload)))
  }

  /** A whole unary request. */
  request(streamId: number, path: string, body: Uint8Array): void {
    const message = grpcMessage(body)
    this.write(frame(frameType.headers, frameFlag.endHeaders, streamId, grpcRequestHeaders(path)))
    for (let at = 0; at < message.length; at += defaultFrameSizeMax) {
      const part = message.subarray(at, at + defaultFrameSizeMax)
      const isLast = at + defaultFrameSizeMax >= message.length
      this.write(frame(frameType.data, isLast ? frameFlag.endStream : 0, streamId, part))
    }
  }

  of(type: number, streamId: number): SeenFrame[] {
    return this.frames.filter((seen) => seen.type === type && seen.streamId === streamId)
  }

  /** All header fields a stream got so far, names to values. */
  headers(streamId: number): Map<string, string> {
    const fields = this.of(frameType.headers, streamId).flatMap(
      (seen) => this.#decoder.decode(seen.payload, 16_384) ?? [],
    )
    return new Map(fields)
  }

  /** Code of the GOAWAY, once there is one. */
  goAwayCode(): number | undefined {
    return this.of(frameType.goaway, 0).at(-1)?.payload.readUInt32BE(4)
  }

  resetCode(streamId: number): number | undefined {
    return this.of(frameType.rstStream, streamId)[0]?.payload.readUInt32BE(0)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroy()
  }
}
