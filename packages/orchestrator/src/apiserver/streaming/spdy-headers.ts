// Header blocks of SPDY/3.1. Those received share one zlib stream for the life of a connection; those sent are all empty, so their
// bytes are known and no compressor is kept.
import { constants, createInflate, type Inflate } from 'node:zlib'
import { spdyDictionary, spdyDictionaryId } from './spdy-dictionary.ts'
import { SpdyError } from './spdy-frames.ts'

/** Of one block, unpacked. */
export const headerBlockBytesMax: number = 64 * 1024
const headersMax = 100

export class HeaderInflater {
  readonly #inflate: Inflate
  #parts: Buffer[] = []
  #size = 0
  #fail: (error: Error) => void = () => undefined

  constructor() {
    this.#inflate = createInflate({
      dictionary: spdyDictionary,
      finishFlush: constants.Z_SYNC_FLUSH,
    })
    this.#inflate.on('data', (part: Buffer) => {
      this.#size += part.length
      if (this.#size <= headerBlockBytesMax) this.#parts.push(part)
      // What a few bytes unpack to may be without bound.
      else this.#inflate.destroy(new SpdyError('the header block is too long'))
    })
    this.#inflate.on('error', (error) => {
      this.#fail(error instanceof SpdyError ? error : new SpdyError('the header block is damaged'))
    })
  }

  /** One block after the other. Rejects with SpdyError; nothing can be inflated after that. */
  async inflate(block: Uint8Array): Promise<ReadonlyMap<string, string>> {
    this.#parts = []
    this.#size = 0
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject
      this.#inflate.write(block, (error) => {
        if (error instanceof Error) reject(error)
        else resolve()
      })
    })
    // One that was destroyed for its length says nothing of it here.
    if (this.#size > headerBlockBytesMax) throw new SpdyError('the header block is too long')
    return parseHeaders(Buffer.concat(this.#parts))
  }

  close(): void {
    this.#inflate.destroy()
  }
}

const parseHeaders = (block: Buffer): ReadonlyMap<string, string> => {
  let offset = 0
  const number = (): number => {
    if (offset + 4 > block.length) throw new SpdyError('the header block is cut off')
    offset += 4
    return block.readUInt32BE(offset - 4)
  }
  const text = (): string => {
    const length = number()
    if (offset + length > block.length) throw new SpdyError('the header block is cut off')
    offset += length
    return block.toString('utf8', offset - length, offset)
  }
  const count = number()
  if (count > headersMax) throw new SpdyError('too many headers')
  const headers = new Map<string, string>()
  for (let index = 0; index < count; index++) headers.set(text().toLowerCase(), text())
  return headers
}

/** A stored block of deflate that holds the count 0 in four bytes, and an empty one: at that the clients' decompressor hands out what it has. */
const noHeaders = Buffer.from([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
/** The first block of a connection comes after zlib's own header, which names the dictionary. */
const zlibHeader = Buffer.from([0x78, 0xbb, 0, 0, 0, 0])
zlibHeader.writeUInt32BE(spdyDictionaryId, 2)

export const emptyHeaderBlock = (isFirst: boolean): Buffer =>
  isFirst ? Buffer.concat([zlibHeader, noHeaders]) : noHeaders
