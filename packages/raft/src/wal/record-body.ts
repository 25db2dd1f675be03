// What one WAL record says: metadata, entries, hard state and the base of the log, as tagged items. Bytes in docs/wal-format.md.
import { crc32 } from 'node:zlib'
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { assert } from '../core/assert.ts'
import { decodeMembership, encodeMembership } from '../core/membership.ts'
import {
  entryType,
  type Entry,
  type EntryType,
  type HardState,
  type NodeId,
  type SnapshotMeta,
} from '../core/types.ts'
import { paddingByte, paddingSize, recordHeaderSizeBytes } from './segment-format.ts'

export interface WalMetadata {
  readonly clusterId: string
  readonly nodeId: NodeId
}

/**
 * `compacted`: entries up to the base are not needed any more, those after it stay. `replaced`: a snapshot took the place of
 * the whole log; entries written before do not count (with a base of 0: the log is empty again). `generation`: of the cluster, 0 if none was written.
 */
export type RecordItem =
  | { readonly type: 'metadata'; readonly metadata: WalMetadata }
  | { readonly type: 'entries'; readonly entries: readonly Entry[] }
  | { readonly type: 'hardState'; readonly hardState: HardState }
  | { readonly type: 'generation'; readonly generation: number }
  | { readonly type: 'compacted' | 'replaced'; readonly base: SnapshotMeta }

const tags = {
  metadata: 1,
  entries: 2,
  hardState: 3,
  compacted: 4,
  replaced: 5,
  generation: 6,
  recoveringState: 7,
} as const

const entriesHeaderSizeBytes = 1 + 4 + 8
const entryHeaderSizeBytes = 8 + 1 + 4

/** Larger payloads go to the file from where they are, without a copy. */
const referencedSizeBytesMin = 8 * 1024

/** The record's bytes in pieces, with its padding; the first ones of the first piece are left free for the record header. */
export interface EncodedRecord {
  readonly head: Buffer
  readonly parts: readonly Uint8Array[]
  readonly bodySize: number
  /** Of the body without its mask. */
  readonly bodyChecksum: number
  /** As in the record header. */
  readonly mask: number
}

export function encodeRecord(items: readonly RecordItem[]): EncodedRecord {
  assert(items.length > 0, 'a record says something')
  let copied = 0
  let referenced = 0
  for (const item of items) {
    copied += copiedSize(item)
    referenced += referencedSize(item)
  }
  const padding = paddingSize(copied + referenced)
  const parts = new PartsWriter(recordHeaderSizeBytes + copied + padding)
  parts.writer.zeros(recordHeaderSizeBytes)
  for (const item of items) writeItem(parts, item)
  return parts.finish(padding)
}

/** Collects what is copied in one buffer, and cuts it where a large payload is referenced instead. */
class PartsWriter {
  readonly writer: ByteWriter
  readonly #parts: Uint8Array[] = []
  #cut = 0

  constructor(sizeBytes: number) {
    this.writer = new ByteWriter(sizeBytes)
  }

  payload(data: Uint8Array): void {
    if (data.length < referencedSizeBytesMin) {
      this.writer.bytes(data)
      return
    }
    this.#cutHere()
    this.#parts.push(data)
  }

  #cutHere(): void {
    const { buffer, position } = this.writer
    if (position > this.#cut) this.#parts.push(buffer.subarray(this.#cut, position))
    this.#cut = position
  }

  finish(padding: number): EncodedRecord {
    for (let i = 0; i < padding; i++) this.writer.u8(paddingByte)
    const head = this.writer.finish()
    this.#cutHere()
    let bodySize = -recordHeaderSizeBytes - padding
    let bodyChecksum = 0
    for (const [i, part] of this.#parts.entries()) {
      bodySize += part.length
      const from = i === 0 ? recordHeaderSizeBytes : 0
      // The padding is in one piece: after a referenced payload it has one of its own.
      const to = i === this.#parts.length - 1 ? part.length - padding : part.length
      bodyChecksum = crc32(part.subarray(from, to), bodyChecksum)
    }
    return { head, parts: this.#parts, bodySize, bodyChecksum, mask: 0 }
  }
}

function copiedSize(item: RecordItem): number {
  switch (item.type) {
    case 'metadata':
      return 1 + 2 + Buffer.byteLength(item.metadata.clusterId) + 1 + item.metadata.nodeId.length
    case 'entries': {
      let size = entriesHeaderSizeBytes
      for (const { data } of item.entries) {
        size += entryHeaderSizeBytes
        if (data.length < referencedSizeBytesMin) size += data.length
      }
      return size
    }
    case 'hardState':
      return 1 + 8 + 8 + 1 + (item.hardState.vote?.length ?? 0)
    case 'generation':
      return 1 + 8
    case 'compacted':
    case 'replaced':
      return 1 + 8 + 8 + 4 + encodeMembership(item.base.membership).length
  }
}

function referencedSize(item: RecordItem): number {
  let size = 0
  if (item.type !== 'entries') return size
  for (const { data } of item.entries)
    if (data.length >= referencedSizeBytesMin) size += data.length
  return size
}

function writeItem(parts: PartsWriter, item: RecordItem): void {
  const { writer } = parts
  const isRecovering = item.type === 'hardState' && item.hardState.isRecovering === true
  writer.u8(isRecovering ? tags.recoveringState : tags[item.type])
  switch (item.type) {
    case 'metadata': {
      const clusterId = Buffer.from(item.metadata.clusterId)
      writer.u16(clusterId.length)
      writer.bytes(clusterId)
      return writer.id(item.metadata.nodeId)
    }
    case 'entries':
      return writeEntries(parts, item.entries)
    case 'hardState':
      writer.u64(item.hardState.term)
      writer.u64(item.hardState.commit)
      return writer.id(item.hardState.vote ?? '')
    case 'generation':
      return writer.u64(item.generation)
    case 'compacted':
    case 'replaced': {
      const membership = encodeMembership(item.base.membership)
      writer.u64(item.base.index)
      writer.u64(item.base.term)
      writer.u32(membership.length)
      return writer.bytes(membership)
    }
  }
}

function writeEntries(parts: PartsWriter, entries: readonly Entry[]): void {
  const { writer } = parts
  const first = entries[0]
  assert(first !== undefined, 'an item of entries holds one at least')
  writer.u32(entries.length)
  writer.u64(first.index)
  for (const [i, entry] of entries.entries()) {
    assert(entry.index === first.index + i, 'entries are written without a gap')
    writer.u64(entry.term)
    writer.u8(entry.type)
    writer.u32(entry.data.length)
    parts.payload(entry.data)
  }
}

/** Entries are views of `body`. Throws MalformedBytesError. */
export function decodeRecord(body: Uint8Array): readonly RecordItem[] {
  const reader = new ByteReader(body)
  const items: RecordItem[] = []
  while (reader.remaining > 0) items.push(readItem(reader))
  return items
}

function readItem(reader: ByteReader): RecordItem {
  const tag = reader.u8()
  switch (tag) {
    case tags.metadata: {
      const clusterId = Buffer.from(reader.bytes(reader.u16())).toString('utf8')
      return { type: 'metadata', metadata: { clusterId, nodeId: reader.id() as NodeId } }
    }
    case tags.entries:
      return { type: 'entries', entries: readEntries(reader) }
    case tags.hardState:
      return { type: 'hardState', hardState: readHardState(reader) }
    case tags.recoveringState:
      return { type: 'hardState', hardState: { ...readHardState(reader), isRecovering: true } }
    case tags.generation:
      return { type: 'generation', generation: reader.u64() }
    case tags.compacted:
      return { type: 'compacted', base: readBase(reader) }
    case tags.replaced:
      return { type: 'replaced', base: readBase(reader) }
    default:
      throw new MalformedBytesError('a record holds an unknown item')
  }
}

function readHardState(reader: ByteReader): HardState {
  const term = reader.u64()
  const commit = reader.u64()
  const vote = reader.id()
  return { term, vote: vote === '' ? undefined : (vote as NodeId), commit }
}

function readEntries(reader: ByteReader): readonly Entry[] {
  const count = reader.count(entryHeaderSizeBytes)
  const firstIndex = reader.u64()
  if (count === 0 || firstIndex === 0) throw new MalformedBytesError('entries are missing')
  const entries: Entry[] = []
  for (let i = 0; i < count; i++) {
    const term = reader.u64()
    const type = reader.u8()
    if (!isEntryType(type)) throw new MalformedBytesError('an entry has an unknown type')
    entries.push({ term, index: firstIndex + i, type, data: reader.bytes(reader.u32()) })
  }
  return entries
}

function isEntryType(type: number): type is EntryType {
  return type === entryType.normal || type === entryType.membership
}

function readBase(reader: ByteReader): SnapshotMeta {
  const index = reader.u64()
  const term = reader.u64()
  const membership = decodeMembership(reader.bytes(reader.u32()))
  if (membership === undefined) throw new MalformedBytesError('a membership is malformed')
  return { index, term, membership }
}
