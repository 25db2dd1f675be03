// The changes of a store since a base, record by record: each says its size and a checksum that also covers the record before, so that
// nothing can be changed, left out or moved without a word. See docs/moving.md.
import type { KvEvent } from '../kv.ts'
import { crc32c } from '../mvcc/crc32c.ts'
import { encodeKeyValue } from '../proto/index.ts'

export const deltaMagic: Buffer = Buffer.from('balsadl\x01', 'latin1')
/** A longer record is not believed. */
const recordSizeBytesMax = 2 ** 30
const recordHeadSizeBytes = 8
const kind = { revision: 1, leases: 2 } as const
const noBytes: Uint8Array = new Uint8Array(0)

export interface RevisionRecord {
  readonly type: 'revision'
  readonly revision: number
  /** When the backup saw it, milliseconds since 1970. */
  readonly timeMs: number
  /** In order of their sub-revisions, as etcd stores them. */
  readonly changes: readonly { readonly isDeleted: boolean; readonly row: Uint8Array }[]
}
/** All leases there were at a time. */
export interface LeasesRecord {
  readonly type: 'leases'
  readonly revision: number
  readonly timeMs: number
  readonly leases: readonly { readonly id: bigint; readonly ttlSeconds: number }[]
}
export type DeltaRecord = RevisionRecord | LeasesRecord

export function revisionRecord(events: readonly KvEvent[], timeMs: number): RevisionRecord {
  return {
    type: 'revision',
    revision: events[0]?.kv.modRevision ?? 0,
    timeMs,
    changes: events.map(({ type, kv }) => {
      const isDeleted = type === 'delete'
      const tombstone = { ...kv, createRevision: 0, modRevision: 0, version: 0, lease: 0n }
      const row = encodeKeyValue(isDeleted ? { ...tombstone, value: noBytes } : kv)
      return { isDeleted, row }
    }),
  }
}

/** `checksum` is that of the record before; 0 for the first one of a file. */
export function encodeRecord(record: DeltaRecord, checksum: number): Buffer {
  const payload = record.type === 'revision' ? revisionPayload(record) : leasesPayload(record)
  const head = Buffer.alloc(recordHeadSizeBytes)
  head.writeUInt32LE(payload.length, 0)
  head.writeUInt32LE(chained(checksum, payload), 4)
  return Buffer.concat([head, payload])
}

/** Of an encoded record. */
export function checksumOf(record: Buffer): number {
  return record.readUInt32LE(4)
}

export type FoundRecord =
  | { readonly status: 'ok'; readonly record: DeltaRecord; readonly sizeBytes: number }
  /** The file ends within it, or with one that does not check out: a crash may have made it so. */
  | { readonly status: 'torn' }
  | { readonly status: 'damaged' }

/** The record at the beginning of what is left of a file. */
export function decodeRecord(rest: Buffer, checksum: number): FoundRecord {
  if (rest.length < recordHeadSizeBytes) return { status: 'torn' }
  const size = rest.readUInt32LE(0)
  const end = recordHeadSizeBytes + size
  if (size > recordSizeBytesMax) return { status: 'damaged' }
  if (end > rest.length) return { status: 'torn' }
  const payload = rest.subarray(recordHeadSizeBytes, end)
  const isWhole = checksumOf(rest) === chained(checksum, payload)
  const record = isWhole ? decodePayload(payload) : undefined
  if (record !== undefined) return { status: 'ok', record, sizeBytes: end }
  return { status: end === rest.length && !isWhole ? 'torn' : 'damaged' }
}

function chained(checksum: number, payload: Uint8Array): number {
  const before = Buffer.alloc(4)
  before.writeUInt32LE(checksum)
  return crc32c(crc32c(0, before), payload)
}

function payloadHead(type: number, { timeMs, revision }: DeltaRecord, count: number): Buffer {
  const head = Buffer.alloc(21)
  head.writeUInt8(type, 0)
  head.writeDoubleLE(timeMs, 1)
  head.writeDoubleLE(revision, 9)
  head.writeUInt32LE(count, 17)
  return head
}

function revisionPayload(record: RevisionRecord): Buffer {
  const parts: Uint8Array[] = [payloadHead(kind.revision, record, record.changes.length)]
  for (const { isDeleted, row } of record.changes) {
    const head = Buffer.alloc(5)
    head.writeUInt8(isDeleted ? 1 : 0, 0)
    head.writeUInt32LE(row.length, 1)
    parts.push(head, row)
  }
  return Buffer.concat(parts)
}

function leasesPayload(record: LeasesRecord): Buffer {
  const parts: Uint8Array[] = [payloadHead(kind.leases, record, record.leases.length)]
  for (const { id, ttlSeconds } of record.leases) {
    const lease = Buffer.alloc(16)
    lease.writeBigInt64LE(id, 0)
    lease.writeDoubleLE(ttlSeconds, 8)
    parts.push(lease)
  }
  return Buffer.concat(parts)
}

/** Undefined for bytes that encodeRecord() does not make. */
function decodePayload(payload: Buffer): DeltaRecord | undefined {
  if (payload.length < 21) return undefined
  const type = payload.readUInt8(0)
  const timeMs = payload.readDoubleLE(1)
  const revision = payload.readDoubleLE(9)
  const count = payload.readUInt32LE(17)
  let at = 21
  if (type === kind.leases) {
    if (payload.length !== at + count * 16) return undefined
    const leases = Array.from({ length: count }, (_, i) => ({
      id: payload.readBigInt64LE(at + i * 16),
      ttlSeconds: payload.readDoubleLE(at + i * 16 + 8),
    }))
    return { type: 'leases', timeMs, revision, leases }
  }
  if (type !== kind.revision) return undefined
  const changes: { isDeleted: boolean; row: Uint8Array }[] = []
  for (let i = 0; i < count; i++) {
    if (at + 5 > payload.length) return undefined
    const end = at + 5 + payload.readUInt32LE(at + 1)
    if (end > payload.length) return undefined
    changes.push({ isDeleted: payload.readUInt8(at) === 1, row: payload.subarray(at + 5, end) })
    at = end
  }
  return at === payload.length ? { type: 'revision', timeMs, revision, changes } : undefined
}
