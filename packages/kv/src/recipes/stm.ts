// Transactions of many reads and writes, as a function that runs again until nothing it read was changed by others. Writes are kept until the
// end and applied in one txn.
import { KvError } from '../errors.ts'
import { backOffMs, delay } from '../client/back-off.ts'
import { bytesOf } from '../client/convert.ts'
import type { Bytes, CallOptions, Condition, Kv, KvPair, Operation } from '../kv.ts'

/**
 * - serializableSnapshot: all reads are of one revision, and at the end neither what was read nor what is written was changed since.
 * - serializable: all reads are of one revision, and at the end nothing that was read was changed since.
 * - repeatableReads: a key reads the same every time, and at the end nothing that was read was changed since.
 * - readCommitted: reads are of the newest revision each; nothing is checked at the end.
 */
export type Isolation =
  | 'serializableSnapshot'
  | 'serializable'
  | 'repeatableReads'
  | 'readCommitted'

export interface StmOptions extends CallOptions {
  /** 'serializableSnapshot' if left out. */
  readonly isolation?: Isolation
  /** Rejects with TOO_MANY_REQUESTS after so many; 1,000 if left out. */
  readonly attemptsMax?: number
}

export interface Transaction {
  /** Sees what this transaction has put and deleted. */
  get(key: Bytes): Promise<Uint8Array | undefined>
  put(key: Bytes, value: Bytes, options?: { readonly lease?: bigint }): void
  delete(key: Bytes): void
}

export interface StmResult<T> {
  readonly result: T
  /** Of the writes; of the reads if there are none. */
  readonly revision: number
  readonly attempts: number
}

/** `run` may run several times: it must do nothing that lasts but through its argument. What it throws ends the transaction without effect. */
export async function transact<T>(
  kv: Kv,
  run: (tx: Transaction) => Promise<T>,
  options: StmOptions = {},
): Promise<StmResult<T>> {
  const { isolation = 'serializableSnapshot', attemptsMax = 1000, signal } = options
  const call = signal === undefined ? {} : { signal }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (attempt > 0) await delay(backOffMs(Math.min(attempt, 3)) / 10, signal)
    const tx = new Stm(kv, isolation, call)
    try {
      const result = await run(tx)
      const revision = await tx.commit()
      if (revision !== undefined) return { result, revision, attempts: attempt + 1 }
    } catch (reason) {
      if (!tx.isCompacted) throw reason
    }
  }
  const message = `what a transaction read was changed by others ${attemptsMax} times`
  throw new KvError('TOO_MANY_REQUESTS', { message })
}

type Write =
  | {
      readonly op: 'put'
      readonly key: Uint8Array
      readonly value: Uint8Array
      readonly lease: bigint
    }
  | { readonly op: 'delete'; readonly key: Uint8Array }

class Stm implements Transaction {
  readonly #kv: Kv
  readonly #isolation: Isolation
  readonly #call: CallOptions
  readonly #reads = new Map<
    string,
    { readonly key: Uint8Array; readonly pair: KvPair | undefined }
  >()
  readonly #writes = new Map<string, Write>()
  /** The revision of the first read. */
  #revision = 0
  #firstRead: Promise<KvPair | undefined> | undefined
  /** The revision that is read is gone: only another try can help. */
  isCompacted = false

  constructor(kv: Kv, isolation: Isolation, call: CallOptions) {
    this.#kv = kv
    this.#isolation = isolation
    this.#call = call
  }

  async get(key: Bytes): Promise<Uint8Array | undefined> {
    const bytes = bytesOf(key)
    const name = nameOf(bytes)
    const written = this.#writes.get(name)
    if (written !== undefined) return written.op === 'put' ? written.value : undefined
    const known = this.#reads.get(name)
    if (known !== undefined && this.#isolation !== 'readCommitted') return known.pair?.value
    const pair = await this.#read(bytes)
    // Reads that ran side by side must agree with what is checked at the end.
    const first = this.#reads.get(name)
    if (first === undefined) this.#reads.set(name, { key: bytes, pair })
    return this.#isolation === 'readCommitted' ? pair?.value : (first ?? { pair }).pair?.value
  }

  async #read(key: Uint8Array): Promise<KvPair | undefined> {
    const isOfOneRevision =
      this.#isolation === 'serializable' || this.#isolation === 'serializableSnapshot'
    if (!isOfOneRevision) return this.#readAt(key, 0)
    if (this.#firstRead === undefined) {
      this.#firstRead = this.#readAt(key, 0)
      return this.#firstRead
    }
    await this.#firstRead
    return this.#readAt(key, this.#revision)
  }

  async #readAt(key: Uint8Array, at: number): Promise<KvPair | undefined> {
    try {
      const { pairs, revision } = await this.#kv.range({ ...this.#call, key, revision: at })
      if (this.#revision === 0) this.#revision = revision
      return pairs[0]
    } catch (reason) {
      this.isCompacted = reason instanceof KvError && reason.code === 'COMPACTED'
      throw reason
    }
  }

  put(key: Bytes, value: Bytes, options: { readonly lease?: bigint } = {}): void {
    const bytes = bytesOf(key)
    const lease = options.lease ?? 0n
    this.#writes.set(nameOf(bytes), { op: 'put', key: bytes, value: bytesOf(value), lease })
  }

  delete(key: Bytes): void {
    const bytes = bytesOf(key)
    this.#writes.set(nameOf(bytes), { op: 'delete', key: bytes })
  }

  /** Undefined: others were faster. */
  async commit(): Promise<number | undefined> {
    const writes: Operation[] = [...this.#writes.values()]
    const conditions = this.#conditions()
    if (writes.length === 0 && conditions.length === 0) return this.#revision
    const { succeeded, revision } = await this.#kv.txn({
      ...this.#call,
      if: conditions,
      then: writes,
    })
    return succeeded ? revision : undefined
  }

  #conditions(): Condition[] {
    if (this.#isolation === 'readCommitted') return []
    const conditions = [...this.#reads.values()].map(({ key, pair }): Condition => ({
      key,
      target: 'mod',
      is: '=',
      than: pair?.modRevision ?? 0,
    }))
    if (this.#isolation !== 'serializableSnapshot' || this.#revision === 0) return conditions
    const unread = [...this.#writes].filter(([name]) => !this.#reads.has(name))
    const than = this.#revision + 1
    return [
      ...conditions,
      ...unread.map(([, { key }]): Condition => ({ key, target: 'mod', is: '<', than })),
    ]
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
