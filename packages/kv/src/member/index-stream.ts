// The index of keys as a stream of chunks, so that a restart reads it instead of every row, and back. It is written bit by bit while
// writes go on: each key is as it was at some moment after the revision in the head, so rows after that revision are read again, and
// what the index has of them already is passed over. See docs/backend-format.md.
import { KvError } from '../errors.ts'
import type { Lessor } from '../lease/lessor.ts'
import { decodeBlock, encodeBlock } from '../mvcc/block-codec.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import type { MvccStore } from '../mvcc/store.ts'

const magic = 'balsaix\x02'
/** Read back as another number where bytes are in another order. */
const byteOrderMark = 0x01020304
const chunkKind = { blocks: 1, leases: 2, end: 3 } as const
/** What one chunk takes of a turn of the event loop. */
const chunkSizeBytes = 64 * 1024
const headSizeBytes = 24

/** `revision` is the store's when this begins; no compaction step may run until the end. */
export function* encodeIndex(
  store: MvccStore,
  lessor: Lessor,
  revision: number,
): Generator<Uint8Array, void> {
  yield encodeHead(revision)
  let keys = 0
  let parts: Uint8Array[] = []
  let sizeBytes = 0
  for (let from: string | undefined = ''; from !== undefined;) {
    const found = store.index.blockFrom(from)
    if (found === undefined) break
    const { block, slot } = found
    const bytes = encodeBlock(block.copy(slot, block.count))
    keys += block.count - slot
    from = `${block.keyAt(block.count - 1)}\0`
    parts.push(lengthOf(bytes), bytes)
    sizeBytes += bytes.length
    if (sizeBytes < chunkSizeBytes) continue
    yield chunkOf(chunkKind.blocks, parts)
    parts = []
    sizeBytes = 0
  }
  if (parts.length > 0) yield chunkOf(chunkKind.blocks, parts)
  yield* encodeLeases(lessor)
  yield chunkOf(chunkKind.end, [new Uint8Array(Float64Array.of(keys).buffer)])
}

/** Takes the stream in; returns the revision after which rows are still to be read. Throws CORRUPT if it is damaged or of another kind. */
export async function decodeIndex(
  chunks: AsyncIterable<Uint8Array>,
  store: MvccStore,
  lessor: Lessor,
): Promise<number> {
  let revision: number | undefined
  let isComplete = false
  for await (const chunk of chunks) {
    if (revision === undefined) revision = decodeHead(chunk)
    else if (isComplete) throw damaged()
    else if (chunk[0] === chunkKind.blocks) decodeBlocks(chunk, store)
    else if (chunk[0] === chunkKind.leases) decodeLeases(chunk, lessor)
    else {
      if (chunk.length !== 16) throw damaged()
      const [keys] = new Float64Array(new Uint8Array(chunk.subarray(8)).buffer)
      if (chunk[0] !== chunkKind.end || keys !== store.index.size) throw damaged()
      isComplete = true
    }
  }
  if (revision === undefined || !isComplete) throw damaged()
  return revision
}

function encodeHead(revision: number): Uint8Array {
  const head = new Uint8Array(headSizeBytes)
  head.set(keyBytes(magic))
  head.set(new Uint8Array(Uint32Array.of(byteOrderMark).buffer), 8)
  head.set(new Uint8Array(Float64Array.of(revision).buffer), 16)
  return head
}

function decodeHead(chunk: Uint8Array): number {
  const { buffer } = new Uint8Array(chunk)
  const isKnown = chunk.length === headSizeBytes && keyText(chunk.subarray(0, 8)) === magic
  if (!isKnown || new Uint32Array(buffer, 8, 1)[0] !== byteOrderMark) throw damaged()
  return new Float64Array(buffer, 16, 1)[0] ?? 0
}

function decodeBlocks(chunk: Uint8Array, store: MvccStore): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
  for (let at = 8; at < chunk.length;) {
    if (at + 8 > chunk.length) throw damaged()
    const size = view.getFloat64(at)
    if (!Number.isInteger(size) || size < 0 || at + 8 + size > chunk.length) throw damaged()
    store.index.append(decodeBlock(chunk.subarray(at + 8, at + 8 + size)))
    at += 8 + size
  }
}

/** Lease id (16 hex digits), key length and key of every key with a lease, as they are at some moment while this runs. */
function* encodeLeases(lessor: Lessor): Generator<Uint8Array, void> {
  let parts: Uint8Array[] = []
  let sizeBytes = 0
  for (const [key, id] of lessor.leasedKeys()) {
    const bytes = new Uint8Array(16 + key.length)
    new DataView(bytes.buffer).setBigInt64(0, id)
    new DataView(bytes.buffer).setFloat64(8, key.length)
    for (let i = 0; i < key.length; i++) bytes[16 + i] = key.charCodeAt(i)
    parts.push(bytes)
    sizeBytes += bytes.length
    if (sizeBytes < chunkSizeBytes) continue
    yield chunkOf(chunkKind.leases, parts)
    parts = []
    sizeBytes = 0
  }
  if (parts.length > 0) yield chunkOf(chunkKind.leases, parts)
}

function decodeLeases(chunk: Uint8Array, lessor: Lessor): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
  for (let at = 8; at < chunk.length;) {
    if (at + 16 > chunk.length) throw damaged()
    const id = view.getBigInt64(at)
    const end = at + 16 + view.getFloat64(at + 8)
    if (!(end >= at + 16 && end <= chunk.length)) throw damaged()
    const key = keyText(chunk.subarray(at + 16, end))
    // A lease that was revoked since took its keys with it: the rows that follow say so.
    if (lessor.exists(id)) {
      lessor.detach(key)
      lessor.attach(id, key)
    }
    at = end
  }
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setFloat64(0, bytes.length)
  return length
}

/** 8 bytes, the first of which is the kind, then the parts. */
function chunkOf(kind: number, parts: readonly Uint8Array[]): Uint8Array {
  const chunk = new Uint8Array(8 + parts.reduce((sum, { length }) => sum + length, 0))
  chunk[0] = kind
  let at = 8
  for (const part of parts) {
    chunk.set(part, at)
    at += part.length
  }
  return chunk
}

function damaged(): KvError {
  return new KvError('CORRUPT', { message: 'The saved index is damaged' })
}
