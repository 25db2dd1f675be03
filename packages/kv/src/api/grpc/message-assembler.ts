// gRPC's length-prefixed messages out of DATA frames, which may cut them anywhere. What all calls together hold of unfinished messages
// is bounded, so that slow senders cannot fill the memory.
import { grpcStatus } from '../../errors.ts'
import { defaultLimits, type Limits } from '../../limits.ts'
import { GrpcError } from './grpc-error.ts'

const prefixSize = 5
/** What may be around a request, as in etcd. */
const overheadSizeBytesMax = 524_288
/** Without other word, as etcd's. */
export const messageSizeBytesMax: number = defaultLimits.requestSizeBytesMax + overheadSizeBytesMax
export const partialBytesMax = 268_435_456

/** Shared by all calls of a server. */
export interface PartialBytes {
  count: number
  readonly limits?: Readonly<Limits>
}

export class MessageAssembler {
  readonly #total: PartialBytes
  readonly #onMessage: (body: Uint8Array) => void
  #parts: Buffer[] = []
  #held = 0

  constructor(total: PartialBytes, onMessage: (body: Uint8Array) => void) {
    this.#total = total
    this.#onMessage = onMessage
  }

  get hasPartial(): boolean {
    return this.#held > 0
  }

  /** Throws GrpcError for a message too large or compressed; the call is over then. */
  push(buffer: Buffer, start: number, end: number): void {
    let bytes = buffer.subarray(start, end)
    if (this.#held > 0) {
      this.#hold(bytes)
      const wanted = this.#wanted()
      if (this.#held < wanted) return
      bytes = Buffer.concat(this.#parts)
      this.release()
    }
    let pos = 0
    while (bytes.length - pos >= prefixSize) {
      const size = messageSize(bytes, pos, this.#total.limits)
      if (bytes.length - pos < prefixSize + size) break
      const bodyStart = pos + prefixSize
      pos = bodyStart + size
      this.#onMessage(bytes.subarray(bodyStart, pos))
    }
    if (pos < bytes.length) this.#hold(bytes.subarray(pos))
  }

  /** Forgets what is held. */
  release(): void {
    this.#total.count -= this.#held
    this.#held = 0
    this.#parts = []
  }

  #hold(bytes: Buffer): void {
    if (this.#total.count + bytes.length > partialBytesMax) {
      throw new GrpcError(grpcStatus.resourceExhausted, 'too many unfinished messages')
    }
    this.#total.count += bytes.length
    this.#held += bytes.length
    this.#parts.push(bytes)
  }

  /** Bytes the message under way has with its prefix. */
  #wanted(): number {
    if (this.#held < prefixSize) return prefixSize
    let [first] = this.#parts
    if (first === undefined || first.length < prefixSize) {
      first = Buffer.concat(this.#parts)
      this.#parts = [first]
    }
    return prefixSize + messageSize(first, 0, this.#total.limits)
  }
}

function messageSize(
  bytes: Buffer,
  pos: number,
  { requestSizeBytesMax }: Readonly<Limits> = defaultLimits,
): number {
  if (bytes[pos] !== 0) {
    throw new GrpcError(grpcStatus.unimplemented, 'grpc: compressed messages are not supported')
  }
  const size = bytes.readUInt32BE(pos + 1)
  const sizeMax = requestSizeBytesMax + overheadSizeBytesMax
  if (size > sizeMax) {
    const message = `grpc: received message larger than max (${size} vs. ${sizeMax})`
    throw new GrpcError(grpcStatus.resourceExhausted, message)
  }
  return size
}
