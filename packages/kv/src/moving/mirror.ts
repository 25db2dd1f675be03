// A live copy of one store, or of a part of it, in another one: etcdctl's make-mirror, with a place to go on from. First all pairs of one
// revision, then what changed after it; values only, as in etcd: leases stay where they are.
import { bytesOf } from '../client/convert.ts'
import { follow } from '../client/follow.ts'
import { pages } from '../client/pages.ts'
import { KvError } from '../errors.ts'
import type { Bytes, Kv, KvEvent, KvPair } from '../kv.ts'
import { prefixEnd } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import { keepTrying, type KeepTryingOptions } from './keep-trying.ts'
import { MirrorWriter, revisionsOf, type MirrorOperation } from './mirror-writer.ts'

export interface MirrorOptions extends KeepTryingOptions {
  readonly source: Kv
  readonly destination: Kv
  /** What is mirrored; '' for everything. */
  readonly prefix?: Bytes
  /** What takes the place of `prefix` there; the same if left out. */
  readonly destinationPrefix?: Bytes
  /** The destination has everything up to this revision already. */
  readonly after?: number
  /** Keys below the destination's prefix that the source does not have are removed when all pairs are compared. */
  readonly exact?: boolean
  /** Everything up to `revision` is at the destination; `written` counts puts and deletes since the start. */
  readonly onApplied?: (progress: MirrorProgress) => void | Promise<void>
}

export interface MirrorProgress {
  readonly revision: number
  readonly written: number
  /** False while the first pairs are copied: `revision` does not count yet. */
  readonly isCopied: boolean
}

const pageSize = 256
const zeroByte = new Uint8Array(1)

/**
 * Runs until the signal: then it rejects with ABORTED. Rejects with COMPACTED if the source no longer has what came after
 * `after`; with `exact` everything is compared anew instead.
 */
export async function mirror(options: MirrorOptions): Promise<never> {
  return new Mirror(options).run()
}

class Mirror {
  readonly #options: MirrorOptions
  readonly #prefix: Uint8Array
  readonly #destinationPrefix: Uint8Array
  readonly #writer: MirrorWriter

  constructor(options: MirrorOptions) {
    this.#options = options
    this.#prefix = bytesOf(options.prefix ?? '')
    this.#destinationPrefix = bytesOf(options.destinationPrefix ?? this.#prefix)
    this.#writer = new MirrorWriter(options.destination, options)
  }

  async run(): Promise<never> {
    let revision = this.#options.after
    for (;;) {
      try {
        revision = revision === undefined ? await this.#copy() : await this.#follow(revision)
      } catch (reason) {
        // What was deleted in the gap is known only by comparing everything.
        const isCompacted = reason instanceof KvError && reason.code === 'COMPACTED'
        if (!isCompacted || this.#options.exact !== true) throw reason
        this.#options.onTrouble?.(reason)
        revision = undefined
      }
    }
  }

  /** Returns the revision that the destination is at, if the watch ends without a word. */
  async #follow(after: number): Promise<number> {
    const { source, signal } = this.#options
    const watch = { prefix: this.#prefix, startRevision: after + 1, progressNotify: true }
    let revision = after
    for await (const batch of follow(source, watch, signal)) {
      for (const events of revisionsOf(batch.events)) {
        await this.#writer.add(events.map((event) => this.#operationOf(event)))
      }
      await this.#writer.flush()
      revision = batch.revision
      await this.#tell(revision, true)
    }
    return revision
  }

  /** Makes the destination equal to one revision of the source; returns it. What is equal is not written again. */
  async #copy(): Promise<number> {
    const { source, exact = false } = this.#options
    let revision = 0
    let from: Uint8Array = this.#destinationPrefix.length > 0 ? this.#destinationPrefix : zeroByte
    const iterator = pages(this.#patient(source), { prefix: this.#prefix, pageSize })
    for await (const page of iterator) {
      revision = page.revision
      const wanted = new Map(page.pairs.map((pair) => [keyText(this.#keyOf(pair.key)), pair]))
      const last = page.pairs.at(-1)
      const isLast = !page.more || last === undefined
      const to = isLast
        ? prefixEnd(this.#destinationPrefix)
        : Buffer.concat([this.#keyOf(last.key), zeroByte])
      await this.#compare(wanted, { from, to, exact })
      for (const pair of wanted.values()) await this.#writer.add([this.#putOf(pair)])
      await this.#writer.flush()
      await this.#tell(revision, isLast)
      from = to
    }
    return revision
  }

  /** Takes out of `wanted` what is there already; adds deletes for what is there and not wanted. */
  async #compare(
    wanted: Map<string, KvPair>,
    { from, to, exact }: { from: Uint8Array; to: Uint8Array; exact: boolean },
  ): Promise<void> {
    if (wanted.size === 0 && !exact) return
    const { destination } = this.#options
    const range = { key: from, rangeEnd: to, pageSize }
    for await (const { pairs } of pages(this.#patient(destination), range)) {
      for (const { key, value } of pairs) {
        const name = keyText(key)
        const pair = wanted.get(name)
        if (pair === undefined) {
          if (exact) await this.#writer.add([{ op: 'delete', key }])
        } else if (Buffer.compare(pair.value, value) === 0) wanted.delete(name)
      }
    }
  }

  #operationOf({ type, kv }: KvEvent): MirrorOperation {
    return type === 'put' ? this.#putOf(kv) : { op: 'delete', key: this.#keyOf(kv.key) }
  }

  #putOf({ key, value }: KvPair): MirrorOperation {
    return { op: 'put', key: this.#keyOf(key), value }
  }

  #keyOf(key: Uint8Array): Uint8Array {
    return Buffer.concat([this.#destinationPrefix, key.subarray(this.#prefix.length)])
  }

  #patient(kv: Kv): Pick<Kv, 'range'> {
    return { range: (options) => keepTrying(() => kv.range(options), this.#options) }
  }

  async #tell(revision: number, isCopied: boolean): Promise<void> {
    await this.#options.onApplied?.({ revision, written: this.#writer.written, isCopied })
  }
}
