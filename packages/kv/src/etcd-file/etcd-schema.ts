// What etcd keeps in which bucket. Rows of the bucket `key` are those of our history table without its first byte; the others are few.
import { keyBytes } from '../mvcc/key-text.ts'
import { fixed64 } from '../mvcc/revision.ts'
import { sharedWriter } from '../proto/wire/shared-writer.ts'
import { WireReader } from '../proto/wire/wire-reader.ts'
import { EtcdFileError } from './etcd-file-error.ts'

export const bucketName = {
  alarm: 'alarm',
  auth: 'auth',
  authRoles: 'authRoles',
  authUsers: 'authUsers',
  /** Ours; etcd passes over buckets that it does not know. */
  balsaQuota: 'balsa_quota',
  cluster: 'cluster',
  key: 'key',
  lease: 'lease',
  members: 'members',
  membersRemoved: 'members_removed',
  meta: 'meta',
} as const

export const authKey = { enabled: 'authEnabled', revision: 'authRevision' } as const
export const clusterVersionKey = 'clusterVersion'
/** The oldest etcd that knows everything in our files: one that boots from them may be as old as that. */
export const fileClusterVersion = '3.4.0'
export const metaKey = {
  consistentIndex: 'consistent_index',
  finishedCompact: 'finishedCompactRev',
  scheduledCompact: 'scheduledCompactRev',
  /** Since 3.5. */
  term: 'term',
} as const

/** leasepb.Lease. */
export interface EtcdLease {
  readonly id: bigint
  readonly ttlSeconds: number
  /** Of the last checkpoint; 0: all of it. */
  readonly remainingSeconds: number
}

export function encodeNumber(value: number): Uint8Array {
  return keyBytes(fixed64(value))
}

/** Throws DAMAGED. */
export function decodeNumber(bytes: Uint8Array, what: string): number {
  if (bytes.length !== 8) throw malformed(`${what} has ${bytes.length} bytes`)
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  if (!Number.isSafeInteger(value)) throw malformed(`${what} is out of range`)
  return value
}

/** A revision as the meta bucket holds it. */
export function encodeRevision(main: number): Uint8Array {
  return keyBytes(`${fixed64(main)}_${fixed64(0)}`)
}

/** Throws DAMAGED. */
export function decodeRevision(bytes: Uint8Array, what: string): number {
  if (bytes.length !== 17) throw malformed(`${what} has ${bytes.length} bytes`)
  return decodeNumber(bytes.subarray(0, 8), what)
}

export function encodeLeaseId(id: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, id)
  return bytes
}

export function encodeEtcdLease({ id, ttlSeconds, remainingSeconds }: EtcdLease): Uint8Array {
  const writer = sharedWriter.begin()
  writer.bigInt64(1, id)
  writer.int64(2, ttlSeconds)
  writer.int64(3, remainingSeconds)
  return writer.finish()
}

/** Throws MALFORMED. */
export function decodeEtcdLease(bytes: Uint8Array): EtcdLease {
  const reader = new WireReader(bytes)
  let id = 0n
  let ttlSeconds = 0
  let remainingSeconds = 0
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x08) id = reader.bigInt64()
    else if (tag === 0x10) ttlSeconds = reader.int64()
    else if (tag === 0x18) remainingSeconds = reader.int64()
    else reader.unknown(tag, 3)
  }
  return { id, ttlSeconds, remainingSeconds }
}

function malformed(text: string): EtcdFileError {
  return new EtcdFileError('DAMAGED', text)
}
