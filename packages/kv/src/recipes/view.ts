// A prefix held in memory and kept up to date by a watch: reads cost nothing, and are as old as the watch's last word.
import { backOffMs, delay } from '../client/back-off.ts'
import { Collection } from '../client/collection.ts'
import type { Entry } from '../client/collection.ts'
import type { Codec } from '../client/codec.ts'
import { follow } from '../client/follow.ts'
import { pages } from '../client/pages.ts'
import { KvError } from '../errors.ts'
import type { CallOptions, Kv, KvEvent } from '../kv.ts'

/** `old` undefined: it is new; `entry` undefined: it is gone. */
export interface ViewChange<T> {
  readonly key: string
  readonly entry: Entry<T> | undefined
  readonly old: Entry<T> | undefined
}

export interface ViewOptions<T> extends CallOptions {
  /** Called for every change, in order, after it is in the view. */
  readonly onChange?: (change: ViewChange<T>) => void
}

/** Resolves when the prefix is loaded. The signal ends the loading only. */
export async function openView<T>(
  kv: Kv,
  prefix: string,
  codec: Codec<T>,
  options: ViewOptions<T> = {},
): Promise<View<T>> {
  const view = new View(new Collection(kv, prefix, codec), kv, options.onChange)
  await view.load(options)
  void view.run()
  return view
}

interface Waiting {
  readonly revision: number
  resolve(): void
  reject(error: KvError): void
}

export class View<T> implements AsyncDisposable {
  readonly #collection: Collection<T>
  readonly #kv: Kv
  readonly #onChange: (change: ViewChange<T>) => void
  readonly #closed = new AbortController()
  readonly #waiting = new Set<Waiting>()
  #entries = new Map<string, Entry<T>>()
  #revision = 0
  #failure: KvError | undefined

  constructor(
    collection: Collection<T>,
    kv: Kv,
    onChange: (change: ViewChange<T>) => void = () => undefined,
  ) {
    this.#collection = collection
    this.#kv = kv
    this.#onChange = onChange
  }

  /** Everything up to this revision is in it. */
  get revision(): number {
    return this.#revision
  }

  /** What ended it, if it did not end by close(): the view gets no more changes. */
  get failure(): KvError | undefined {
    return this.#failure
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Entry<T> | undefined {
    return this.#entries.get(key)
  }

  /** In no order. */
  entries(): IterableIterator<Entry<T>> {
    return this.#entries.values()
  }

  /**
   * Resolves when the view holds everything up to `revision`: that of a write of one's own, to read it here. Revisions that touch nothing here
   * count when the cluster says so, which may take long: name those of writes below the prefix. Rejects when the view ends first.
   */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve()
    const end = this.#closed.signal.aborted ? new KvError('ABORTED') : this.#failure
    if (end !== undefined) return Promise.reject(end)
    return new Promise((resolve, reject) => void this.#waiting.add({ revision, resolve, reject }))
  }

  close(): Promise<void> {
    this.#closed.abort()
    this.#giveUp(new KvError('ABORTED'))
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Replaces everything by what the store holds now. */
  async load(options: CallOptions = {}): Promise<void> {
    const { prefix } = this.#collection
    const entries = new Map<string, Entry<T>>()
    const signal = options.signal ?? this.#closed.signal
    let at = 0
    for await (const { pairs, revision } of pages(this.#kv, { prefix, signal })) {
      at = revision
      for (const pair of pairs) {
        const entry = this.#collection.entry(pair)
        entries.set(entry.key, entry)
      }
    }
    const old = this.#entries
    this.#entries = entries
    for (const [key, was] of old) {
      if (!entries.has(key)) this.#onChange({ key, entry: undefined, old: was })
    }
    for (const [key, entry] of entries) {
      const was = old.get(key)
      if (was?.modRevision !== entry.modRevision) this.#onChange({ key, entry, old: was })
    }
    this.#reachedNow(at)
  }

  /** Follows the changes until it is closed; loads everything again when history was compacted. */
  async run(): Promise<void> {
    const { signal } = this.#closed
    const { prefix } = this.#collection
    for (let failures = 0; !signal.aborted;) {
      try {
        if (failures > 0) {
          await delay(backOffMs(failures), signal)
          await this.load()
        }
        const options = { prefix, startRevision: this.#revision + 1, progressNotify: true }
        for await (const { events, revision } of follow(this.#kv, options, signal)) {
          failures = 0
          for (const event of events) this.#apply(event)
          this.#reachedNow(revision)
        }
        return
      } catch (reason) {
        const error = KvError.from(reason)
        if (signal.aborted) return
        if (!mayLoadAgain(error)) {
          this.#failure = error
          this.#giveUp(error)
          return
        }
        failures++
      }
    }
  }

  #apply(event: KvEvent): void {
    const key = Buffer.from(event.kv.key).toString('utf8').slice(this.#collection.prefix.length)
    const old = this.#entries.get(key)
    if (event.type === 'delete') {
      if (!this.#entries.delete(key)) return
      this.#onChange({ key, entry: undefined, old })
      return
    }
    const entry = this.#collection.entry(event.kv)
    this.#entries.set(key, entry)
    this.#onChange({ key, entry, old })
  }

  #giveUp(error: KvError): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  #reachedNow(revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    for (const waiting of this.#waiting) {
      if (waiting.revision > this.#revision) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }
}

/** What a codec or a handler throws is not for trying again. */
function mayLoadAgain({ code }: KvError): boolean {
  return code !== 'INTERNAL' && code !== 'ABORTED'
}
