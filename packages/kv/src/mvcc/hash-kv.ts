// etcd's HashKV: a CRC-32C over the history as a reader of (compactRevision, revision] may see it. Rows that compaction has not
// taken yet are left out, so the hash does not depend on how far it got, and is equal on all members and on real etcd.
import { decodeKeyValue } from '../proto/index.ts'
import { crc32c } from './crc32c.ts'
import type { KeyIndex } from './key-index.ts'
import { keyText } from './key-text.ts'
import { parseRowKey } from './revision.ts'

const bucketName = Uint8Array.of(0x6b, 0x65, 0x79)

export class HashKv {
  readonly #index: KeyIndex
  readonly #revision: number
  readonly #compactRevision: number
  #crc = crc32c(0, bucketName)

  /** While rows are added no compaction step may run on `index`. */
  constructor(index: KeyIndex, revision: number, compactRevision: number) {
    this.#index = index
    this.#revision = revision
    this.#compactRevision = compactRevision
  }

  get value(): number {
    return this.#crc
  }

  /** Rows come in key order, all of the history table; `row` with its table's first byte. */
  add(row: Uint8Array, value: Uint8Array): void {
    const position = parseRowKey(keyText(row))
    if (position === undefined || position.main > this.#revision) return
    const { main, sub, tombstone } = position
    if (main <= this.#compactRevision) {
      if (tombstone) return
      const record = this.#index.get(keyText(decodeKeyValue(value).key))
      // etcd leaves out what is superseded at the hashed revision, even where compaction has to keep it for older readers.
      if (record?.isVisible(main, sub, this.#revision) !== true) return
    }
    this.#crc = crc32c(crc32c(this.#crc, row.subarray(1)), value)
  }
}
