// From a header block to what the server makes of it, by a look-up where the client's blocks are constants.
import { HpackDecoder } from '../hpack/hpack-decoder.ts'
import type { HeaderField } from '../hpack/static-table.ts'
import type { HeaderCache } from './header-cache.ts'
import { Http2Error, http2ErrorCode } from './http2-protocol.ts'

export const defaultHeaderListSizeMax = 16_384

/** What a server makes of header lists. */
export interface HeaderMeaning<H> {
  readonly cache: HeaderCache<H>
  /** Undefined: the request is malformed. */
  parseHeaders(fields: readonly HeaderField[]): H | undefined
  /** Whether a client is likely to send the same headers again. */
  isConstant(headers: H): boolean
}

export class RequestDecoder<H> {
  readonly #meaning: HeaderMeaning<H>
  readonly #headerListSizeMax: number
  readonly #hpack = new HpackDecoder()

  constructor(meaning: HeaderMeaning<H>, headerListSizeMax: number) {
    this.#meaning = meaning
    this.#headerListSizeMax = headerListSizeMax
  }

  /** The client has agreed to a header table of size 0. */
  dropTable(): void {
    this.#hpack.limitTable(0)
  }

  /** Throws for a block that cannot be decoded (the connection ends) or that is refused (the stream ends). */
  decode(streamId: number, buffer: Buffer, start: number, end: number): H {
    const { cache } = this.#meaning
    const { isStateless } = this.#hpack
    const key = isStateless ? buffer.toString('latin1', start, end) : ''
    const known = isStateless ? cache.get(key) : undefined
    if (known !== undefined) return known
    const fields = this.#hpack.decode(buffer.subarray(start, end), this.#headerListSizeMax)
    if (fields === undefined) {
      throw new Http2Error(http2ErrorCode.enhanceYourCalm, 'header list too large', streamId)
    }
    const headers = this.#meaning.parseHeaders(fields)
    if (headers === undefined) {
      throw new Http2Error(http2ErrorCode.protocolError, 'malformed request', streamId)
    }
    if (isStateless && this.#meaning.isConstant(headers)) cache.set(key, headers)
    return headers
  }

  /** Decodes trailers for the table's sake; what they say is dropped. */
  pass(buffer: Buffer, start: number, end: number): void {
    this.#hpack.decode(buffer.subarray(start, end), this.#headerListSizeMax)
  }
}
