// Reads the records of one segment in order and tells a torn tail from corruption. At most one record is written and not yet synced, so
// only the very last one may be damaged by a crash, and then some sector of it was never written and is still zero, as no sector that was
// written is. Everything else that does not check out is corruption, and is reported with file and offset.
import { crc32 } from 'node:zlib'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import { RaftError } from '../errors.ts'
import type { File } from '../node/ports.ts'
import { FileWindow } from './file-window.ts'
import { findMisplacedRecord } from './misplaced-record.ts'
import { decodeRecord, type RecordItem } from './record-body.ts'
import { unmask } from './sector-mask.ts'
import {
  checkSegmentHeader,
  isZero,
  nextRecordOffset,
  oldSegmentFormatVersion,
  paddingByte,
  readRecordHeader,
  recordHeaderSizeBytes,
  sectorSizeBytes,
  segmentFormatVersion,
  segmentHeaderSizeBytes,
  type RecordHeader,
} from './segment-format.ts'
import { findStrayMetadata } from './stray-metadata.ts'

const windowSizeBytes = 1024 * 1024

export interface ScannedRecord {
  readonly offset: number
  readonly chain: number
  readonly bodySize: number
}

export interface ScanOptions {
  readonly file: File
  readonly path: string
  readonly sequence: number
  /** The chain value that the segment before ends with; undefined if that one is released. */
  readonly previousChain: number | undefined
  /** Only the last segment may have a torn tail. */
  readonly isLast: boolean
  readonly onRecord: (items: readonly RecordItem[], place: ScannedRecord) => void
}

export interface ScanResult {
  /** Of the segment's format. */
  readonly version: number
  /** Of the last record that is right. */
  readonly lastOffset: number
  /** Where the next record goes. */
  readonly endOffset: number
  readonly chain: number
  readonly sizeBytes: number
  /** A record that a crash cut short begins at `endOffset`. */
  readonly isTorn: boolean
}

export async function scanSegment(options: ScanOptions): Promise<ScanResult> {
  return await new SegmentScan(options, await options.file.size()).run()
}

class SegmentScan {
  readonly #options: ScanOptions
  readonly #size: number
  readonly #window: FileWindow
  #version = segmentFormatVersion

  constructor(options: ScanOptions, size: number) {
    this.#options = options
    this.#size = size
    this.#window = new FileWindow(options.file, windowSizeBytes)
  }

  async run(): Promise<ScanResult> {
    let chain = await this.#checkHeader()
    let offset = segmentHeaderSizeBytes
    let lastOffset = offset
    for (;;) {
      const header = await this.#readHeader(offset)
      if (header === undefined) {
        const isTorn = await this.#judgeMissingHeader(offset, chain)
        return this.#end({ lastOffset, endOffset: offset, chain, isTorn })
      }
      if (header.previous !== chain) throw this.#corrupt(offset, 'does not continue the chain')
      const body = await this.#readBody(offset, header)
      if (body === undefined) {
        await this.#judgeDamagedBody(offset, header)
        return this.#end({ lastOffset, endOffset: offset, chain, isTorn: true })
      }
      const { bodySize } = header
      chain = header.chain
      this.#options.onRecord(this.#decode(body, offset), { offset, chain, bodySize })
      lastOffset = offset
      offset = nextRecordOffset(offset, bodySize)
    }
  }

  #end(result: Omit<ScanResult, 'version' | 'sizeBytes'>): ScanResult {
    const { endOffset } = result
    // The first record is synced before the segment gets its name.
    if (endOffset === segmentHeaderSizeBytes) throw this.#corrupt(endOffset, 'is missing')
    return { ...result, version: this.#version, sizeBytes: this.#size }
  }

  #corrupt(offset: number, what: string, cause?: unknown): RaftError {
    const { path } = this.#options
    return new RaftError('CORRUPT', `WAL record in ${path} at offset ${offset} ${what}`, {
      file: path,
      offset,
      cause,
    })
  }

  async #checkHeader(): Promise<number> {
    const { path, sequence, previousChain } = this.#options
    const check = checkSegmentHeader(await this.#read(0, segmentHeaderSizeBytes))
    if (check.status === 'unknownVersion') {
      const text = `WAL segment ${path} has format version ${check.version}, this program knows ${segmentFormatVersion}`
      throw new RaftError('VERSION_MISMATCH', text, { file: path, offset: 0 })
    }
    const isRight =
      check.status === 'ok' &&
      check.header.sequence === sequence &&
      (previousChain === undefined || check.header.previous === previousChain)
    if (!isRight) {
      const text = `WAL segment ${path} has a damaged header`
      throw new RaftError('CORRUPT', text, { file: path, offset: 0 })
    }
    this.#version = check.version
    return check.chain
  }

  /** May be shorter at the end of the file; what lies after it counts as zero. */
  async #read(position: number, length: number): Promise<Uint8Array> {
    return await this.#window.read(position, length)
  }

  async #readHeader(offset: number): Promise<RecordHeader | undefined> {
    const bytes = await this.#read(offset, recordHeaderSizeBytes)
    return readRecordHeader(bytes, { sequence: this.#options.sequence, offset })
  }

  /** Undefined if it does not match its checksum. */
  async #readBody(offset: number, header: RecordHeader): Promise<Uint8Array | undefined> {
    const start = offset + recordHeaderSizeBytes
    const end = this.#writtenEnd(offset, header)
    // A length must not make us ask for more memory than the file could fill.
    if (end > this.#size) return undefined
    const bytes = await this.#read(start, end - start)
    const body = unmask(bytes.subarray(0, header.bodySize), header)
    // The padding counts: with it no sector of a record that is taken for whole is zero.
    const isPadded = bytes.subarray(header.bodySize).every((byte) => byte === paddingByte)
    const isWhole = bytes.length === end - start && isPadded
    return isWhole && crc32(body) === header.bodyChecksum ? body : undefined
  }

  #writtenEnd(offset: number, { bodySize }: RecordHeader): number {
    return this.#version === oldSegmentFormatVersion
      ? offset + recordHeaderSizeBytes + bodySize
      : nextRecordOffset(offset, bodySize)
  }

  #decode(body: Uint8Array, offset: number): readonly RecordItem[] {
    try {
      return decodeRecord(body)
    } catch (reason) {
      if (!(reason instanceof MalformedBytesError)) throw reason
      throw this.#corrupt(offset, 'is malformed', reason)
    }
  }

  /** No header at `offset`: false for the clean end, true for a torn record; throws for corruption. */
  async #judgeMissingHeader(offset: number, chain: number): Promise<boolean> {
    const sectorEnd = offset - (offset % sectorSizeBytes) + sectorSizeBytes
    // A header lies within one sector, so a crash leaves it whole or not written at all.
    if (!isZero(await this.#read(offset, sectorEnd - offset))) {
      throw this.#corrupt(offset, 'has a damaged header')
    }
    if (await this.#isZeroFrom(sectorEnd)) return false
    await this.#mustBeLast(offset, sectorEnd)
    await this.#mustNotBeMisplaced(offset, { offset, chain })
    await this.#mustNotHoldMetadata(offset)
    return true
  }

  /** `wanted`: where a record was to be written, and the chain value of the one before it. */
  async #mustNotBeMisplaced(
    offset: number,
    wanted: { readonly offset: number; readonly chain: number },
  ): Promise<void> {
    const { file, sequence } = this.#options
    const position = { sequence, offset: wanted.offset }
    const found = await findMisplacedRecord(file, offset, { position, chain: wanted.chain })
    if (found === undefined) return
    throw this.#corrupt(offset, `is damaged: the one for ${wanted.offset} was written to ${found}`)
  }

  async #mustNotHoldMetadata(offset: number): Promise<void> {
    const stray = await findStrayMetadata(this.#options.file, offset)
    if (stray !== undefined) throw this.#corrupt(offset, 'is overwritten by metadata')
  }

  async #isZeroFrom(offset: number): Promise<boolean> {
    for (let at = offset; at < this.#size; at += windowSizeBytes) {
      if (!isZero(await this.#read(at, windowSizeBytes))) return false
    }
    return true
  }

  /** The header at `offset` is right and the body is not. */
  async #judgeDamagedBody(offset: number, header: RecordHeader): Promise<void> {
    const end = this.#writtenEnd(offset, header)
    if (!(await this.#hasZeroSector(offset, end))) {
      throw this.#corrupt(offset, 'does not match its checksum')
    }
    await this.#mustBeLast(offset, offset + recordHeaderSizeBytes)
    // What damaged it may be the record that was meant to follow it.
    const next = { offset: nextRecordOffset(offset, header.bodySize), chain: header.chain }
    await this.#mustNotBeMisplaced(offset, next)
    await this.#mustNotHoldMetadata(offset)
  }

  async #hasZeroSector(from: number, end: number): Promise<boolean> {
    // The space for a record is there, and synced, before the record is written.
    if (end > this.#size) return this.#version === oldSegmentFormatVersion
    for (let at = from; at < end;) {
      const sectorEnd = Math.min(end, at - (at % sectorSizeBytes) + sectorSizeBytes)
      if (isZero(await this.#read(at, sectorEnd - at))) return true
      at = sectorEnd
    }
    return false
  }

  /** A record is written only after the one before it is synced: if a valid one follows, no crash damaged this one. */
  async #mustBeLast(offset: number, searchFrom: number): Promise<void> {
    if (!this.#options.isLast) throw this.#corrupt(offset, 'is damaged in a finished segment')
    const { sequence } = this.#options
    for (let at = searchFrom; at < this.#size; at += recordHeaderSizeBytes) {
      const bytes = await this.#read(at, recordHeaderSizeBytes)
      if (isZero(bytes)) continue
      const header = readRecordHeader(bytes, { sequence, offset: at })
      if (header === undefined || (await this.#readBody(at, header)) === undefined) continue
      throw this.#corrupt(offset, `is damaged, and a valid one follows at ${at}`)
    }
  }
}
