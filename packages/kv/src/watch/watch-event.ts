// One change in the forms that watchers ask for, each encoded at most once and shared by all of them.
import { keyBytes } from '../mvcc/key-text.ts'
import { encodeEvent, encodeKeyValue, eventType } from '../proto/index.ts'
import type { EncodedEvent, EncodedKeyValue } from '../proto/messages.ts'

/** Looks up the pair that a change replaced; undefined if there was none or it is compacted. */
export type ReadPrevious = () => EncodedKeyValue | undefined

const noBytes: Uint8Array = new Uint8Array(0)

export class WatchEvent {
  readonly key: string
  readonly revision: number
  readonly deleted: boolean
  readonly sizeBytes: number
  readonly #row: EncodedKeyValue
  readonly #readPrevious: ReadPrevious
  #plain: EncodedEvent | undefined
  #withPrevious: EncodedEvent | undefined

  /** `row` as stored: a tombstone's has the key only. */
  constructor(
    change: { key: string; main: number; deleted: boolean; row: EncodedKeyValue },
    readPrevious: ReadPrevious,
  ) {
    this.key = change.key
    this.revision = change.main
    this.deleted = change.deleted
    this.sizeBytes = change.row.length
    this.#row = change.row
    this.#readPrevious = readPrevious
  }

  encoded(prevKv: boolean): EncodedEvent {
    if (prevKv) return (this.#withPrevious ??= this.#encode(this.#readPrevious()))
    return (this.#plain ??= this.#encode(undefined))
  }

  #encode(previous: EncodedKeyValue | undefined): EncodedEvent {
    if (!this.deleted) return encodeEvent(eventType.put, this.#row, previous)
    const zeros = { createRevision: 0, version: 0, value: noBytes, lease: 0n }
    const kv = encodeKeyValue({ ...zeros, key: keyBytes(this.key), modRevision: this.revision })
    return encodeEvent(eventType.delete, kv, previous)
  }
}
