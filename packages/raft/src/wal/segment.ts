// The segment that is written to: a file that is filled with zeros ahead of the records, so that a record overwrites blocks that are
// there already and its sync has no metadata to flush. Keeps: one record at a time, and nothing after the end but zeros.
import { assert } from '../core/assert.ts'
import type { File, FileSystem } from '../node/ports.ts'
import type { RecordPlace } from './entry-index.ts'
import type { EncodedRecord } from './record-body.ts'
import { withoutZeroSectors } from './sector-mask.ts'
import {
  encodeSegmentHeader,
  nextRecordOffset,
  segmentFormatVersion,
  segmentHeaderSizeBytes,
  segmentName,
  writeRecordHeader,
} from './segment-format.ts'

/** Zeros are written ahead in steps that grow with the file, so that a small log stays a small file. */
const fillStepMinBytes = 1024 * 1024
const fillStepMaxBytes = 4 * 1024 * 1024
const zeros = new Uint8Array(256 * 1024)

/** Zeros of `size` bytes from `position` on. */
export async function writeZeros(file: File, position: number, size: number): Promise<void> {
  for (let done = 0; done < size;) {
    const buffers: Uint8Array[] = []
    const stepEnd = Math.min(size, done + fillStepMaxBytes)
    while (done < stepEnd) {
      const part = zeros.subarray(0, Math.min(zeros.length, stepEnd - done))
      buffers.push(part)
      done += part.length
    }
    const written = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    await file.write(buffers, position + done - written)
  }
}

export interface SegmentState {
  readonly file: File
  readonly path: string
  readonly sequence: number
  readonly version: number
  readonly sizeBytesMax: number
  readonly endOffset: number
  readonly allocatedBytes: number
  readonly chain: number
}

export class Segment {
  readonly path: string
  readonly sequence: number
  readonly #version: number
  readonly #file: File
  readonly #sizeBytesMax: number
  #endOffset: number
  /** Written with zeros up to here. */
  #allocatedBytes: number
  #chain: number
  #filling: Promise<void> | undefined

  constructor(state: SegmentState) {
    this.path = state.path
    this.sequence = state.sequence
    this.#version = state.version
    this.#file = state.file
    this.#sizeBytesMax = state.sizeBytesMax
    this.#endOffset = state.endOffset
    this.#allocatedBytes = state.allocatedBytes
    this.#chain = state.chain
  }

  get chain(): number {
    return this.#chain
  }

  /** Where the next record goes: everything before it is durable. */
  get endOffset(): number {
    return this.#endOffset
  }

  get allocatedBytes(): number {
    return this.#allocatedBytes
  }

  /** Whether a record of `bodySize` belongs here; one that fits no segment goes into a fresh one alone, and none into an old version's. */
  hasRoomFor(bodySize: number): boolean {
    if (this.#version !== segmentFormatVersion) return false
    return nextRecordOffset(this.#endOffset, bodySize) <= this.#sizeBytesMax
  }

  /** The record is durable when the promise resolves. After an error the segment must not be used any more. */
  async write(encoded: EncodedRecord): Promise<RecordPlace> {
    const offset = this.#endOffset
    const end = nextRecordOffset(offset, encoded.bodySize)
    if (end > this.#allocatedBytes) await this.#makeRoom(end)
    const isMaskable = this.#version === segmentFormatVersion
    const record = isMaskable ? withoutZeroSectors(encoded, offset, this.#chain) : encoded
    const { bodySize, bodyChecksum, mask } = record
    const position = { sequence: this.sequence, offset }
    const fields = { bodySize, mask, previous: this.#chain, bodyChecksum }
    const chain = writeRecordHeader(record.head, position, fields)
    await this.#file.write(record.parts, offset)
    await this.#file.sync()
    this.#chain = chain
    this.#endOffset = end
    return { sequence: this.sequence, offset, chain }
  }

  async #makeRoom(end: number): Promise<void> {
    while (end > this.#allocatedBytes) await this.#fillStep(end)
  }

  /** One step at a time, whoever asks. */
  async #fillStep(end: number): Promise<void> {
    this.#filling ??= this.#fill(end)
    try {
      await this.#filling
    } finally {
      this.#filling = undefined
    }
  }

  /** Not beyond the size of a segment, unless a record that ends at `end` is larger than that. */
  async #fill(end: number): Promise<void> {
    const from = this.#allocatedBytes
    const step = Math.min(Math.max(from, fillStepMinBytes), fillStepMaxBytes)
    const to = Math.min(from + step, Math.max(this.#sizeBytesMax, end))
    await writeZeros(this.#file, from, to - from)
    await this.#file.sync()
    this.#allocatedBytes = to
  }

  /** Whether the zeros ahead run low; fillAhead() may then run beside write(). */
  get isLow(): boolean {
    const left = this.#allocatedBytes - this.#endOffset
    const isOpen = this.#allocatedBytes < this.#sizeBytesMax
    return isOpen && this.#filling === undefined && left < fillStepMinBytes / 2
  }

  fillAhead(): Promise<void> {
    return this.#fillStep(this.#endOffset)
  }

  /** Gives back the zeros behind the end; the segment is finished. */
  async finish(): Promise<void> {
    if (this.#filling !== undefined) await this.#filling
    await this.#file.truncate(this.#endOffset)
    await this.#file.close()
  }

  async close(): Promise<void> {
    if (this.#filling !== undefined) await this.#filling
    await this.#file.close()
  }
}

export interface NewSegment {
  readonly directory: string
  readonly sequence: number
  readonly previousChain: number
  readonly sizeBytesMax: number
  readonly firstRecord: EncodedRecord
  /** A file of zeros to take. */
  readonly spare?: string | undefined
}

/** Complete and synced before it gets its name: a crash leaves a whole segment or a .tmp file. */
export async function createSegment(
  fileSystem: FileSystem,
  { directory, sequence, previousChain, sizeBytesMax, firstRecord, spare }: NewSegment,
): Promise<Segment> {
  const path = `${directory}/${segmentName(sequence)}`
  const temporary = `${path}.tmp`
  if (spare !== undefined) await fileSystem.rename(spare, temporary)
  const file = await fileSystem.open(temporary, spare === undefined ? 'create' : 'write')
  const allocatedBytes = Math.max(await file.size(), segmentHeaderSizeBytes)
  const header = encodeSegmentHeader({ sequence, previous: previousChain })
  await file.write([header], 0)
  const chain = header.readUInt32LE(28)
  const segment = new Segment({
    file,
    path,
    sequence,
    version: segmentFormatVersion,
    sizeBytesMax,
    endOffset: segmentHeaderSizeBytes,
    allocatedBytes,
    chain,
  })
  await segment.write(firstRecord)
  assert(segment.chain !== chain, 'the first record is written')
  await fileSystem.rename(temporary, path)
  await fileSystem.syncDirectory(directory)
  return segment
}
