// The Store port: all that the apiserver needs of a key-value store. One implementation over @balsa/kv's Kv interface serves the
// embedded member, a Balsa cluster and an etcd cluster alike; every one passes the same suite.

export interface StoredValue {
  readonly key: string
  readonly value: Uint8Array
  /** The revision of the last change of this key. */
  readonly revision: number
}

export interface StoreList {
  readonly values: readonly StoredValue[]
  /** The revision the list is a consistent picture of. */
  readonly revision: number
  /** Keys in the range beyond those returned. */
  readonly remaining: number
}

export type StoreEvent =
  | {
      readonly type: 'put'
      readonly key: string
      readonly value: Uint8Array
      readonly revision: number
      readonly created: boolean
      readonly previous: Uint8Array | undefined
    }
  /** `previous` is the last value; a delete has its own revision. */
  | {
      readonly type: 'delete'
      readonly key: string
      readonly revision: number
      readonly previous: Uint8Array | undefined
    }

export interface StoreWatchHandlers {
  /** Events of whole revisions, in order; `revision`: all up to it has been delivered. May be empty (progress). */
  events(events: readonly StoreEvent[], revision: number): void
  /** Called once; after close() with undefined. StoreRevisionError COMPACTED: start again from a list. */
  ended(error: Error | undefined): void
}

export type StoreWriteResult =
  | { readonly ok: true; readonly revision: number }
  /** The key is not as expected; `current` is what is there (undefined: nothing). */
  | { readonly ok: false; readonly current: StoredValue | undefined }

export interface Store {
  get(key: string): Promise<StoredValue | undefined>
  /** Keys with `prefix`, ascending, from `startKey` on; at `revision` or now. Rejects with StoreRevisionError. */
  list(
    prefix: string,
    options: { startKey?: string; limit?: number; revision?: number },
  ): Promise<StoreList>
  count(prefix: string): Promise<number>
  /** Writes only if the key is absent. `ttlSeconds`: removed by the store after that (events). */
  create(key: string, value: Uint8Array, ttlSeconds?: number): Promise<StoreWriteResult>
  /** Writes only if the key's revision is `expectedRevision`. Without `ttlSeconds` the key stays for good. */
  update(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    ttlSeconds?: number,
  ): Promise<StoreWriteResult>
  delete(key: string, expectedRevision: number): Promise<StoreWriteResult>
  /** Every change of keys with `prefix` after `afterRevision`, with previous values. Returns close(). */
  watch(prefix: string, afterRevision: number, handlers: StoreWatchHandlers): () => void
  /** The store's revision now, linearizable. */
  currentRevision(): Promise<number>
  /** Forgets history up to `revision`; compacting what is compacted already is no error. */
  compact(revision: number): Promise<void>
  close(): Promise<void>
}

/** A read or watch at a revision that is compacted (`COMPACTED`) or not yet there (`FUTURE_REVISION`). */
export class StoreRevisionError extends Error {
  override readonly name = 'StoreRevisionError'
  readonly code: 'COMPACTED' | 'FUTURE_REVISION'

  constructor(code: 'COMPACTED' | 'FUTURE_REVISION', options?: ErrorOptions) {
    super(
      code === 'COMPACTED'
        ? 'The revision asked for has been compacted'
        : 'The revision asked for is in the future',
      options,
    )
    this.code = code
  }
}
