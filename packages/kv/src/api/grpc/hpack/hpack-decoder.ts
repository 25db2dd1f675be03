// RFC 7541: header blocks to header fields. Values are latin1 strings, one character a byte. Every index, length and size is checked.
import { defaultHeaderTableSize, Http2Error, http2ErrorCode } from '../http2/http2-protocol.ts'
import { decodeHuffman } from './huffman.ts'
import { staticTable } from './static-table.ts'
import type { HeaderField } from './static-table.ts'

const entryOverheadBytes = 32
const integerMax = 0x0fff_ffff

export class HpackDecoder {
  /** Newest last. */
  readonly #entries: HeaderField[] = []
  #entriesSizeBytes = 0
  /** What the peer's encoder uses; never above the limit. */
  #tableSizeBytes = defaultHeaderTableSize
  #tableSizeLimitBytes = defaultHeaderTableSize
  #block: Buffer = Buffer.alloc(0)
  #pos = 0

  /** True when a block's meaning depends on the block alone: the peer said that its table has size 0. */
  get isStateless(): boolean {
    return this.#tableSizeLimitBytes === 0 && this.#tableSizeBytes === 0
  }

  /**
   * The peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE. Its next block has to begin with the new size; the clients of Go did not know
   * that for years (kubectl up to 1.25) and go on with the table that they have, so nothing is taken from it before the peer says so.
   */
  limitTable(sizeBytes: number): void {
    this.#tableSizeLimitBytes = sizeBytes
  }

  /**
   * Decodes one whole block; throws COMPRESSION_ERROR, which ends the connection. Past `listSizeMax` (counted as RFC 9113 does)
   * fields are decoded for the table's sake but dropped, and the answer is undefined.
   */
  decode(block: Buffer, listSizeMax: number): HeaderField[] | undefined {
    this.#block = block
    this.#pos = 0
    const fields: HeaderField[] = []
    let listSize = 0
    while (this.#pos < block.length) {
      const field = this.#field(fields.length === 0 && listSize === 0)
      if (field === undefined) continue
      listSize += field[0].length + field[1].length + entryOverheadBytes
      if (listSize <= listSizeMax) fields.push(field)
    }
    this.#block = Buffer.alloc(0)
    return listSize > listSizeMax ? undefined : fields
  }

  #field(isFirst: boolean): HeaderField | undefined {
    const byte = this.#block[this.#pos] ?? 0
    if (byte >= 0x80) return this.#lookup(this.#integer(7))
    if (byte >= 0x40) {
      const field = this.#literal(6)
      this.#insert(field)
      return field
    }
    if (byte < 0x20) return this.#literal(4)
    const size = this.#integer(5)
    if (!isFirst || size > this.#tableSizeLimitBytes) throw compressionError('table size update')
    this.#resize(size)
    return undefined
  }

  #literal(prefixBits: number): HeaderField {
    const index = this.#integer(prefixBits)
    const name = index === 0 ? this.#string() : this.#lookup(index)[0]
    return [name, this.#string()]
  }

  #lookup(index: number): HeaderField {
    const dynamicIndex = index - staticTable.length
    const field =
      dynamicIndex > 0 ? this.#entries[this.#entries.length - dynamicIndex] : staticTable[index - 1]
    if (field === undefined) throw compressionError('index')
    return field
  }

  #insert(field: HeaderField): void {
    const size = entrySize(field)
    this.#evictTo(this.#tableSizeBytes - size)
    if (size > this.#tableSizeBytes) return
    this.#entries.push(field)
    this.#entriesSizeBytes += size
  }

  #resize(sizeBytes: number): void {
    this.#tableSizeBytes = sizeBytes
    this.#evictTo(sizeBytes)
  }

  #evictTo(sizeBytes: number): void {
    while (this.#entriesSizeBytes > sizeBytes) {
      const oldest = this.#entries.shift()
      if (oldest === undefined) return
      this.#entriesSizeBytes -= entrySize(oldest)
    }
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = (this.#block[this.#pos++] ?? 0) & mask
    if (value < mask) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.#block[this.#pos++]
      if (byte === undefined || shift > 21) throw compressionError('integer')
      value += (byte & 0x7f) << shift
      if (value > integerMax) throw compressionError('integer')
      if (byte < 0x80) return value
    }
  }

  #string(): string {
    const isHuffman = (this.#block[this.#pos] ?? 0) >= 0x80
    if (this.#pos >= this.#block.length) throw compressionError('truncated string')
    const length = this.#integer(7)
    const start = this.#pos
    const end = start + length
    if (end > this.#block.length) throw compressionError('truncated string')
    this.#pos = end
    if (isHuffman) return decodeHuffman(this.#block, start, end)
    return this.#block.toString('latin1', start, end)
  }
}

function entrySize(field: HeaderField): number {
  return field[0].length + field[1].length + entryOverheadBytes
}

function compressionError(what: string): Http2Error {
  return new Http2Error(http2ErrorCode.compressionError, `bad header block: ${what}`)
}
