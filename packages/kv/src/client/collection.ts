// The values below one prefix, of one type. Keys are text, without the prefix.
import { KvError } from '../errors.ts'
import type { CallOptions, DeleteOptions, Kv, KvPair, PutOptions, WatchOptions } from '../kv.ts'
import type { Codec } from './codec.ts'
import { follow } from './follow.ts'
import { pairs } from './pages.ts'
import type { PagesOptions } from './pages.ts'

export interface Entry<T> {
  readonly key: string
  readonly value: T
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: bigint
}

export type Change<T> =
  | {
      readonly type: 'put'
      readonly key: string
      readonly entry: Entry<T>
      readonly revision: number
    }
  | { readonly type: 'delete'; readonly key: string; readonly revision: number }

/** Attempts of update() against others who change the same key. */
const updateAttemptsMax = 100

export class Collection<T> {
  readonly prefix: string
  readonly #kv: Kv
  readonly #codec: Codec<T>

  constructor(kv: Kv, prefix: string, codec: Codec<T>) {
    this.#kv = kv
    this.prefix = prefix
    this.#codec = codec
  }

  async get(
    key: string,
    options: CallOptions & { revision?: number; serializable?: boolean } = {},
  ): Promise<Entry<T> | undefined> {
    const pair = await this.#kv.get(this.prefix + key, options)
    return pair === undefined ? undefined : this.entry(pair)
  }

  /** All entries as of one revision, in the order of keys. */
  async *list(
    options: Omit<PagesOptions, 'key' | 'rangeEnd' | 'prefix' | 'keysOnly'> = {},
  ): AsyncGenerator<Entry<T>, void, undefined> {
    for await (const pair of pairs(this.#kv, { ...options, prefix: this.prefix })) {
      yield this.entry(pair)
    }
  }

  async put(key: string, value: T, options: Omit<PutOptions, 'prevKv'> = {}): Promise<number> {
    const { revision } = await this.#kv.put(this.prefix + key, this.#codec.encode(value), options)
    return revision
  }

  /** False if there was none. */
  async delete(
    key: string,
    options: Omit<DeleteOptions, 'rangeEnd' | 'prefix' | 'prevKv'> = {},
  ): Promise<boolean> {
    return (await this.#kv.delete(this.prefix + key, options)).deleted > 0
  }

  /**
   * Replaces a value by what `change` makes of it, never over another's write: `change` runs again if there was one. It gets undefined for a key
   * that is not there; undefined from it leaves all as it is. Resolves to what stands there in the end.
   */
  async update(
    key: string,
    change: (value: T | undefined) => T | undefined,
    options: CallOptions & { lease?: bigint } = {},
  ): Promise<T | undefined> {
    const { lease, ...call } = options
    for (let attempt = 0; attempt < updateAttemptsMax; attempt++) {
      const old = await this.get(key, call)
      const value = change(old?.value)
      if (value === undefined) return old?.value
      const fullKey = this.prefix + key
      const put = { op: 'put', key: fullKey, value: this.#codec.encode(value) } as const
      const { succeeded } = await this.#kv.txn({
        ...call,
        if: [{ key: fullKey, target: 'mod', is: '=', than: old?.modRevision ?? 0 }],
        then: [{ ...put, lease: lease ?? old?.lease ?? 0n }],
      })
      if (succeeded) return value
    }
    const message = `others changed ${this.prefix + key} ${updateAttemptsMax} times while it was updated`
    throw new KvError('TOO_MANY_REQUESTS', { message })
  }

  /** Every change from `startRevision` on, or from now; ends with the signal by throwing ABORTED. */
  async *changes(
    options: CallOptions & Pick<WatchOptions, 'startRevision'> = {},
  ): AsyncGenerator<Change<T>, void, undefined> {
    const { signal, ...watch } = options
    for await (const { events } of follow(this.#kv, { ...watch, prefix: this.prefix }, signal)) {
      for (const { type, kv } of events) {
        const key = this.#keyOf(kv)
        const revision = kv.modRevision
        if (type === 'delete') yield { type, key, revision }
        else yield { type, key, entry: this.entry(kv), revision }
      }
    }
  }

  entry(pair: KvPair): Entry<T> {
    const { value, createRevision, modRevision, version, lease } = pair
    const decoded = this.#codec.decode(value)
    return { key: this.#keyOf(pair), value: decoded, createRevision, modRevision, version, lease }
  }

  #keyOf({ key }: KvPair): string {
    return Buffer.from(key).toString('utf8').slice(this.prefix.length)
  }
}
