// Queues. Items come out in the order they went in, or by priority; each goes to one consumer. A consumer that claims an item holds it with
// its session: if its program ends before the item is done, the item goes to another.
import type { Session } from '../client/session.ts'
import type { Bytes, CallOptions, Kv, KvPair } from '../kv.ts'
import { bytesOf } from '../client/convert.ts'
import { waitForEvent } from './wait-for-event.ts'

export interface QueueItem {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly priority: number
}
export interface ClaimedItem extends QueueItem, AsyncDisposable {
  /** Takes the item out for good; false if the claim was lost before, so that another may do the work as well. */
  done(options?: CallOptions): Promise<boolean>
  /** Gives the item back. Idempotent, and nothing after done(). */
  release(): Promise<void>
}

export const priorityMax = 65_535
/** How many items at the head are looked at for one that nobody has claimed. */
const headSizeMax = 100
const noBytes = new Uint8Array(0)

export class Queue {
  readonly #kv: Kv
  readonly #items: Uint8Array
  readonly #claims: Uint8Array
  readonly #id: () => string

  /** `id` makes names that are used once; by chance if left out. */
  constructor(kv: Kv, name: Bytes, id: () => string = () => crypto.randomUUID()) {
    this.#kv = kv
    this.#items = Buffer.concat([bytesOf(name), Buffer.from('/items/')])
    this.#claims = Buffer.concat([bytesOf(name), Buffer.from('/claims/')])
    this.#id = id
  }

  /** Smaller priorities come out first; 0 if left out. */
  async push(
    value: Bytes,
    options: CallOptions & { readonly priority?: number } = {},
  ): Promise<void> {
    const { priority = 0, ...call } = options
    if (!Number.isInteger(priority) || priority < 0 || priority > priorityMax) {
      throw new RangeError(`priority is ${priority}; it must be an integer of 0 to ${priorityMax}`)
    }
    const level = priority.toString(16).padStart(4, '0')
    // Items have names of their own: putting one twice is putting it once.
    const key = Buffer.concat([this.#items, Buffer.from(`${level}/${this.#id()}`)])
    await this.#kv.txn({
      ...call,
      if: [{ key, target: 'create', is: '=', than: 0 }],
      then: [{ op: 'put', key, value }],
      repeatable: true,
    })
  }

  /** Waits for an item and takes it out at once: it is gone with this program. */
  async take(options: CallOptions = {}): Promise<QueueItem> {
    for (;;) {
      const { free, revision } = await this.#head(options)
      for (const pair of free) {
        const { succeeded } = await this.#kv.txn({
          ...options,
          if: [this.#isThere(pair), this.#isFree(pair)],
          then: [{ op: 'delete', key: pair.key }],
        })
        if (succeeded) return this.#item(pair)
      }
      if (free.length === 0) await this.#waitForChange(revision, options.signal)
    }
  }

  /** Waits for an item and holds it until it is done, released or the session ends. */
  async claim(session: Session, options: CallOptions = {}): Promise<ClaimedItem> {
    for (;;) {
      const { free, revision } = await this.#head(options)
      for (const pair of free) {
        const claim = this.#claimKey(pair)
        const { succeeded, revision: token } = await this.#kv.txn({
          ...options,
          if: [this.#isThere(pair), this.#isFree(pair)],
          then: [{ op: 'put', key: claim, value: '', lease: session.id }],
        })
        if (succeeded) return this.#claimed(pair, claim, token)
      }
      if (free.length === 0) await this.#waitForChange(revision, options.signal)
    }
  }

  /** Items that are in it, claimed ones too. */
  async size(options: CallOptions = {}): Promise<number> {
    return (await this.#kv.range({ ...options, prefix: this.#items, countOnly: true })).count
  }

  #claimed(pair: KvPair, claim: Uint8Array, token: number): ClaimedItem {
    const isMine = { key: claim, target: 'create', is: '=', than: token } as const
    const release = async (): Promise<void> => {
      await this.#kv.txn({
        if: [isMine],
        then: [{ op: 'delete', key: claim }],
        repeatable: true,
      })
    }
    return {
      ...this.#item(pair),
      done: async (options = {}) => {
        const { succeeded } = await this.#kv.txn({
          ...options,
          if: [isMine],
          then: [
            { op: 'delete', key: pair.key },
            { op: 'delete', key: claim },
          ],
        })
        return succeeded
      },
      release,
      [Symbol.asyncDispose]: release,
    }
  }

  /** The items nobody has claimed, of the most urgent level that has any, oldest first; as of one revision. */
  async #head(
    call: CallOptions,
  ): Promise<{ readonly free: readonly KvPair[]; readonly revision: number }> {
    let from = this.#items
    for (;;) {
      const { results, revision } = await this.#kv.txn({
        ...call,
        then: [
          { op: 'range', key: from, rangeEnd: after(this.#items), limit: 1, keysOnly: true },
          { op: 'range', prefix: this.#claims, keysOnly: true },
        ],
      })
      const [first, claims] = results.map((result) => (result.op === 'range' ? result.pairs : []))
      const pair = first?.[0]
      if (pair === undefined) return { free: [], revision }
      const level = pair.key.subarray(0, this.#items.length + 5)
      const claimed = new Set((claims ?? []).map((claim) => this.#nameOf(claim, this.#claims)))
      const sort = { by: 'create', order: 'ascend' } as const
      const limit = headSizeMax + claimed.size
      const items = await this.#kv.range({ ...call, prefix: level, sort, limit, revision })
      const free = items.pairs.filter((item) => !claimed.has(this.#nameOf(item, this.#items)))
      if (free.length > 0) return { free: free.slice(0, headSizeMax), revision }
      from = after(level)
    }
  }

  async #waitForChange(revision: number, signal: AbortSignal | undefined): Promise<void> {
    const gone = new AbortController()
    const either = signal === undefined ? gone.signal : AbortSignal.any([signal, gone.signal])
    const startRevision = revision + 1
    const put = waitForEvent(
      this.#kv,
      { prefix: this.#items, startRevision },
      ({ type }) => type === 'put',
      either,
    )
    const freed = waitForEvent(
      this.#kv,
      { prefix: this.#claims, startRevision },
      ({ type }) => type === 'delete',
      either,
    )
    try {
      await Promise.race([put, freed])
    } finally {
      gone.abort()
      await Promise.allSettled([put, freed])
    }
  }

  #item({ key, value }: KvPair): QueueItem {
    const level = Buffer.from(key.subarray(this.#items.length, this.#items.length + 4))
    return { key, value, priority: Number.parseInt(level.toString(), 16) }
  }

  #isThere({ key, modRevision }: KvPair): {
    key: Uint8Array
    target: 'mod'
    is: '='
    than: number
  } {
    return { key, target: 'mod', is: '=', than: modRevision }
  }

  #isFree(pair: KvPair): { key: Uint8Array; target: 'create'; is: '='; than: number } {
    return { key: this.#claimKey(pair), target: 'create', is: '=', than: 0 }
  }

  #claimKey(pair: KvPair): Uint8Array {
    return Buffer.concat([this.#claims, pair.key.subarray(this.#items.length)])
  }

  #nameOf({ key }: KvPair, prefix: Uint8Array): string {
    return Buffer.from(key.subarray(prefix.length)).toString('latin1')
  }
}

/** The first key behind everything below a prefix that ends with a slash. */
function after(prefix: Uint8Array): Uint8Array {
  const end = Buffer.concat([prefix, noBytes])
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1
  return end
}
