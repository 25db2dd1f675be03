// The bytes every HTTP/2 connection begins with.
import { connectionPreface, Http2Error, http2ErrorCode } from './http2-protocol.ts'

export class ConnectionPreface {
  #seen: Buffer | undefined = Buffer.alloc(0)

  /** What follows the preface; undefined: it is not complete. Throws for bytes that do not belong to it. */
  take(chunk: Buffer): Buffer | undefined {
    if (this.#seen === undefined) return chunk
    const bytes = Buffer.concat([this.#seen, chunk])
    const seen = bytes.toString('latin1', 0, Math.min(bytes.length, connectionPreface.length))
    if (!connectionPreface.startsWith(seen)) {
      throw new Http2Error(http2ErrorCode.protocolError, 'connection preface')
    }
    this.#seen = seen.length < connectionPreface.length ? bytes : undefined
    return this.#seen === undefined ? bytes.subarray(connectionPreface.length) : undefined
  }
}
