// Writes that are applied once, though they are sent until an answer comes. Each write is a txn that also changes a key of the session, its
// guard: the condition is that the guard is as the write before left it. If an earlier try was applied, the condition fails, and the guard
// tells at which revision that was. Guards are held by the session's lease: while they are there, what they say is certain; when they are
// gone, a write whose fate is not known rejects with SESSION_LOST. A guard serves one write at a time; writes side by side use several.
import { KvError } from '../errors.ts'
import type {
  CallOptions,
  Condition,
  Kv,
  KvHeader,
  KvPair,
  Operation,
  OperationResult,
  Txn,
  TxnResult,
  WriteOptions,
} from '../kv.ts'
import { backOffMs, delay } from './back-off.ts'
import { transientCodes } from './caller.ts'
import { isReadOnly } from './convert.ts'
import { recoverResults } from './recover-results.ts'

/** Where the guards are; a user of a cluster with authentication needs the right to write there. */
export const guardPrefix = 'balsa/sessions/'
/** Writes at the same time; more wait. */
export const guardsMax = 64

/** What the writes of a session need of it. */
export interface WriteSession {
  readonly kv: Kv
  readonly id: bigint
  readonly lost: AbortSignal
}

interface Guard {
  readonly key: string
  /** The last write's revision; 0 before the first. */
  modRevision: number
  writeCount: number
}

/**
 * Costs of a write: one more key in its txn. A txn may have two operations less than else. A delete of a range that holds the guards themselves is
 * refused (DUPLICATE_KEY). Everything but writes is passed on.
 */
export function onceKv(session: WriteSession): Kv {
  const writer = new OnceWriter(session)
  const writes: Pick<Kv, 'put' | 'delete' | 'txn'> = {
    put: async (key, value, options = {}) => {
      if (options.ttlSeconds !== undefined) return session.kv.put(key, value, options)
      const { call, ...rest } = split(options)
      const written = await writer.write([{ ...rest, op: 'put', key, value }], call)
      const { revision, header, results } = written
      const [first] = results
      return { revision, prev: first?.op === 'put' ? first.prev : undefined, header }
    },
    delete: async (key, options = {}) => {
      const { call, ...rest } = split(options)
      const written = await writer.write([{ ...rest, op: 'delete', key }], call)
      const { revision, header, results } = written
      const [first] = results
      if (first?.op !== 'delete') return { revision, deleted: 0, prev: [], header }
      return { revision, deleted: first.deleted, prev: first.prev, header }
    },
    txn: (txn) => (isReadOnly(txn) ? session.kv.txn(txn) : writer.txn(txn)),
  }
  return new Proxy(session.kv, {
    get: (target, name) => {
      const own: unknown = Reflect.get(writes, name)
      if (own !== undefined) return own
      const whole: unknown = Reflect.get(target, name, target)
      return typeof whole === 'function' ? (whole.bind(target) as unknown) : whole
    },
  })
}

function split<Options extends WriteOptions>(
  options: Options,
): Omit<Options, keyof WriteOptions> & { readonly call: CallOptions } {
  const { signal, repeatable: _, ...rest } = options
  return { ...rest, call: signal === undefined ? {} : { signal } }
}

class OnceWriter {
  readonly #session: WriteSession
  readonly #free: Guard[] = []
  readonly #waiting: ((guard: Guard) => void)[] = []
  #guardCount = 0
  #nextName = 0

  constructor(session: WriteSession) {
    this.#session = session
  }

  write(operations: readonly Operation[], call: CallOptions): Promise<TxnResult> {
    return this.txn({ ...call, then: operations })
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const { signal } = txn
    const guard = await this.#take()
    const write = new GuardedWrite(this.#session, guard, txn)
    try {
      return await write.run(signal)
    } finally {
      // A guard whose last write is not known is of no more use: the next write gets a new one.
      this.#giveBack(write.isKnown ? guard : undefined)
    }
  }

  #take(): Promise<Guard> {
    const free = this.#free.pop()
    if (free !== undefined) return Promise.resolve(free)
    if (this.#guardCount < guardsMax) {
      this.#guardCount++
      return Promise.resolve(this.#newGuard())
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #giveBack(guard: Guard | undefined): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(guard ?? this.#newGuard())
    else if (guard !== undefined) this.#free.push(guard)
    else this.#guardCount--
  }

  #newGuard(): Guard {
    const key = `${guardPrefix}${this.#session.id.toString(16)}/${this.#nextName++}`
    return { key, modRevision: 0, writeCount: 0 }
  }
}

class GuardedWrite {
  readonly #session: WriteSession
  readonly #guard: Guard
  readonly #txn: Txn
  readonly #name: string
  /** A try was sent whose answer did not come. */
  #mayBeApplied = false
  /** It is certain whether the write was applied, and no try of it is under way. */
  isKnown = false

  constructor(session: WriteSession, guard: Guard, txn: Txn) {
    this.#session = session
    this.#guard = guard
    this.#txn = txn
    this.#name = String(++guard.writeCount)
  }

  async run(signal: AbortSignal | undefined): Promise<TxnResult> {
    const call = signal === undefined ? {} : { signal }
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#try({ ...call, ...this.#guarded() })
      } catch (reason) {
        const error = KvError.from(reason)
        if (error.code === 'RESULT_LOST' || error.code === 'SESSION_LOST') throw error
        if (signal?.aborted === true || error.code === 'ABORTED') throw error
        if (transientCodes.has(error.code)) this.#mayBeApplied = true
        else if (!this.#mayBeApplied) {
          this.isKnown = true
          throw error
        } else return this.#refuse(error, call)
      }
      if (this.#session.lost.aborted) throw new KvError('SESSION_LOST')
      await delay(backOffMs(attempt), signal)
    }
  }

  /** The guard says in the end which branch was taken, for an answer that has to be made up later. */
  #guarded(): Txn {
    const { if: conditions = [], then: yes = [], else: no = [] } = this.#txn
    const inner = {
      if: conditions,
      then: [...yes, this.#mark('then')],
      else: [...no, this.#mark('else')],
    }
    return {
      if: [this.#isUntouched],
      then: [{ op: 'txn', txn: inner }],
      else: [{ op: 'range', key: this.#guard.key }],
    }
  }

  get #isUntouched(): Condition {
    const { key, modRevision } = this.#guard
    return { key, target: 'mod', is: '=', than: modRevision }
  }

  #mark(branch: string): Operation {
    const value = `${this.#name} ${branch}`
    return { op: 'put', key: this.#guard.key, value, lease: this.#session.id }
  }

  async #try(txn: Txn): Promise<TxnResult> {
    const { succeeded, results, revision, header } = await this.#session.kv.txn(txn)
    const [first] = results
    if (!succeeded) return this.#applied(first, header)
    this.#know(revision)
    if (first?.op !== 'txn')
      throw new KvError('INTERNAL', { message: 'a nested txn has no answer' })
    return { succeeded: first.succeeded, results: first.results.slice(0, -1), revision, header }
  }

  /** The guard was changed: by an earlier try of this very write, if it is there. */
  #applied(found: OperationResult | undefined, header: KvHeader): Promise<TxnResult> {
    const pair = found?.op === 'range' ? found.pairs[0] : undefined
    const branch = pair === undefined ? undefined : this.#branchOf(pair)
    if (pair === undefined || branch === undefined) throw new KvError('SESSION_LOST')
    this.#know(pair.modRevision)
    const operations = (branch === 'then' ? this.#txn.then : this.#txn.else) ?? []
    const revision = pair.modRevision
    return recoverResults(this.#session.kv, operations, revision).then((results) => {
      const own = { ...header, revision }
      return { succeeded: branch === 'then', results, revision, header: own }
    })
  }

  #branchOf({ value }: KvPair): string | undefined {
    const [name, branch] = Buffer.from(value).toString().split(' ')
    return name === this.#name ? branch : undefined
  }

  #know(revision: number): void {
    this.#guard.modRevision = revision
    this.isKnown = true
  }

  /** A try was refused after one whose answer is not known. Changing the guard settles it: an earlier try was applied, or none will be. */
  async #refuse(error: KvError, call: CallOptions): Promise<TxnResult> {
    const { results, revision, header } = await this.#settle(call)
    const [first] = results
    const pair = first?.op === 'range' ? first.pairs[0] : undefined
    const wasRefused = pair !== undefined && this.#branchOf(pair) === 'refused'
    if (first?.op === 'range' && !wasRefused) return this.#applied(first, header)
    this.#know(pair?.modRevision ?? revision)
    throw error
  }

  async #settle(call: CallOptions): Promise<TxnResult> {
    try {
      return await this.#session.kv.txn({
        ...call,
        if: [this.#isUntouched],
        then: [this.#mark('refused')],
        else: [{ op: 'range', key: this.#guard.key }],
        repeatable: true,
      })
    } catch (reason) {
      const isLeaseGone = reason instanceof KvError && reason.code === 'LEASE_NOT_FOUND'
      throw isLeaseGone ? new KvError('SESSION_LOST', { cause: reason }) : reason
    }
  }
}
