// The buckets of a file as our tables: what a restored member begins with. Who the members were is left out, they are others now.
import type { Row } from '../backend/backend.ts'
import { encodeLeaseRow, leaseRowKey } from '../lease/lease-row.ts'
import { encodeState, stateRowKey, type AppliedState } from '../member/meta-rows.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import { historyTable, parseRowKey } from '../mvcc/revision.ts'
import { decodeKeyValue } from '../proto/index.ts'
import { EtcdFileError } from './etcd-file-error.ts'
import {
  bucketName,
  decodeEtcdLease,
  decodeNumber,
  decodeRevision,
  metaKey,
} from './etcd-schema.ts'
import type { EtcdFile, FileBucket } from './file-reader.ts'
import { keptRows, keptTables } from './kept-rows.ts'

/** The revision of an empty store. */
const firstRevision = 1
const neverCompacted = -1

export class TableImport {
  readonly #file: EtcdFile
  #revision = firstRevision
  #compactRevision = neverCompacted
  #index = 1
  #term = 1

  constructor(file: EtcdFile) {
    this.#file = file
  }

  /** All rows but the state's, once; at the end the whole file is checked. Throws EtcdFileError. */
  *rows(): Iterable<Row> {
    for (const bucket of this.#file.buckets()) yield* this.#bucketRows(bucket)
    this.#file.checkFreePages()
  }

  /** What rows() has come by. Index and term are 1 at least, and the same for everybody who reads the same file. */
  get state(): AppliedState {
    const compactRevision = this.#compactRevision
    const revision = Math.max(this.#revision, compactRevision)
    return { index: this.#index, term: this.#term, revision, compactRevision }
  }

  *#bucketRows(bucket: FileBucket): Iterable<Row> {
    const name = Buffer.from(bucket.name).toString()
    const kept = keptTables[name]
    for (const [key, value] of bucket.rows()) {
      if (name === bucketName.key) yield this.#historyRow(key, value)
      else if (name === bucketName.lease) yield leaseRow(value)
      else if (name === bucketName.meta) this.#meta(Buffer.from(key).toString(), value)
      else if (kept !== undefined) yield [prefixed(kept.from, key), value]
      else {
        const text = Buffer.from(key).toString()
        const found = keptRows.find((row) => row.bucket === name && row.key === text)
        if (found !== undefined) yield [keyBytes(found.row), value]
      }
    }
  }

  #historyRow(key: Uint8Array, value: Uint8Array): Row {
    const row = prefixed(historyTable, key)
    const position = parseRowKey(keyText(row))
    if (position === undefined || position.main < 1) {
      throw new EtcdFileError('DAMAGED', 'a key of the bucket key is no revision')
    }
    if (decoded(value, decodeKeyValue).key.length === 0) {
      throw new EtcdFileError('DAMAGED', `revision ${position.main} has no key`)
    }
    this.#revision = Math.max(this.#revision, position.main)
    return [row, value]
  }

  #meta(key: string, value: Uint8Array): void {
    if (key === metaKey.consistentIndex) this.#index = Math.max(1, decodeNumber(value, key))
    else if (key === metaKey.term) this.#term = Math.max(1, decodeNumber(value, key))
    else if (key === metaKey.finishedCompact || key === metaKey.scheduledCompact) {
      // What is scheduled and not finished is compacted again when the member starts.
      const revision = decodeRevision(value, key)
      if (revision > 0) this.#compactRevision = Math.max(this.#compactRevision, revision)
    }
  }
}

export function stateRow(state: AppliedState): Row {
  return [keyBytes(stateRowKey), encodeState(state)]
}

function leaseRow(value: Uint8Array): Row {
  const { id, ttlSeconds, remainingSeconds } = decoded(value, decodeEtcdLease)
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 0) {
    throw new EtcdFileError('DAMAGED', `lease ${id.toString(16)} has a TTL of ${ttlSeconds}`)
  }
  return [keyBytes(leaseRowKey(id)), encodeLeaseRow(ttlSeconds, remainingSeconds)]
}

function prefixed(prefix: string, key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(prefix, 'latin1'), key])
}

function decoded<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(bytes)
  } catch (reason) {
    if (!(reason instanceof Error)) throw reason
    throw new EtcdFileError('DAMAGED', `a row is malformed: ${reason.message}`)
  }
}
