// etcd's HashKV: a CRC-32C over the rows after the compact revision, and of those before it over the ones that are still in force at
// the hashed revision. So it does not depend on how far a compaction got, and is equal on all members and on real etcd.
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
  /** Older rows count if they are in force here: the hashed revision or, if no key lives there, the compact one (as in etcd when its compaction is done). */
  readonly #keptAt: number
  #crc = crc32c(0, bucketName)

  /** While rows are added no compaction step may run on `index`. */
  constructor(index: KeyIndex, revision: number, compactRevision: number) {
    this.#index = index
    this.#revision = revision
    this.#compactRevision = compactRevision
    this.#keptAt = hasLiveKey(index, revision) ? revision : compactRevision
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
      // etcd leaves out what is superseded there, even where compaction has to keep it for older readers.
      if (record?.isVisible(main, sub, this.#keptAt) !== true) return
    }
    this.#crc = crc32c(crc32c(this.#crc, row.subarray(1)), value)
  }
}

function hasLiveKey(index: KeyIndex, revision: number): boolean {
  let isFound = false
  index.scan({ from: '', to: undefined }, (record) => {
    isFound = record.isLiveAt(revision)
    return !isFound
  })
  return isFound
}
