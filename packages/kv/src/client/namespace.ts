// A Kv that sees only what is below a prefix, as if the prefix were not there.
import { prefixEnd } from '../mvcc/key-range.ts'
import type {
  Bytes,
  Condition,
  DeleteOptions,
  Kv,
  KvEvent,
  KvPair,
  Operation,
  OperationResult,
  RangeOptions,
  RangeResult,
  StreamOptions,
  Txn,
  WatchOptions,
} from '../kv.ts'
import { KvError } from '../errors.ts'
import { bytesOf, keysOf } from './convert.ts'

type Keys = Pick<RangeOptions, 'key' | 'rangeEnd' | 'prefix'>

/** Leases, members and all that is not about keys is the whole cluster's. Closing it ends nothing but what uses it. */
export function namespaced(kv: Kv, prefix: Bytes): Kv {
  const namespace = new Namespace(prefix)
  const close = (): Promise<void> => Promise.resolve()
  const members: Partial<Kv> = {
    get: async (key, options) => namespace.optional(await kv.get(namespace.outer(key), options)),
    range: async (options) => namespace.result(await kv.range(namespace.keys(options))),
    ...(kv.rangeStream === undefined ? {} : { rangeStream: namespace.streams(kv.rangeStream) }),
    put: async (key, value, options) => {
      const result = await kv.put(namespace.outer(key), value, options)
      return { ...result, prev: namespace.optional(result.prev) }
    },
    delete: async (key, options = {}) => {
      const operation = namespace.deletion(key, options)
      const result = await kv.delete(operation.key, operation)
      return { ...result, prev: result.prev.map((pair) => namespace.inner(pair)) }
    },
    txn: async (txn) => {
      const result = await kv.txn(namespace.txn(txn))
      return { ...result, results: result.results.map((each) => namespace.operationResult(each)) }
    },
    watch: (options, handlers) =>
      kv.watch(namespace.keys(options), {
        created: (revision) => handlers.created?.(revision),
        ended: (error) => handlers.ended?.(error),
        batch: (batch) =>
          handlers.batch({ ...batch, events: batch.events.map((event) => namespace.event(event)) }),
      }),
    leaseTimeToLive: async (id, options) => {
      const life = await kv.leaseTimeToLive(id, options)
      return { ...life, keys: life.keys.flatMap((key) => namespace.ownKey(key)) }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  return new Proxy(kv, {
    get: (target, name) => {
      const own: unknown = Reflect.get(members, name)
      if (own !== undefined) return own
      const whole: unknown = Reflect.get(target, name, target)
      return typeof whole === 'function' ? (whole.bind(target) as unknown) : whole
    },
  })
}

class Namespace {
  readonly #prefix: Uint8Array

  constructor(prefix: Bytes) {
    this.#prefix = bytesOf(prefix)
  }

  /** The prefix must not make a key of none. */
  outer(key: Bytes): Uint8Array {
    if (key.length === 0) throw new KvError('EMPTY_KEY')
    return Buffer.concat([this.#prefix, bytesOf(key)])
  }

  inner(pair: KvPair): KvPair {
    return { ...pair, key: pair.key.subarray(this.#prefix.length) }
  }

  optional(pair: KvPair | undefined): KvPair | undefined {
    return pair === undefined ? undefined : this.inner(pair)
  }

  /** Without the prefix, or none if it is not below it. */
  ownKey(key: Uint8Array): Uint8Array[] {
    const isOwn = Buffer.compare(key.subarray(0, this.#prefix.length), this.#prefix) === 0
    return isOwn ? [key.subarray(this.#prefix.length)] : []
  }

  /** "To the end" of the inner keys is the end of the namespace. */
  keys<Options extends Keys | WatchOptions>(options: Options): Options {
    const { key, rangeEnd } = keysOf(options)
    const { prefix: _, ...rest } = options
    const isAll = options.prefix !== undefined && bytesOf(options.prefix).length === 0
    const outer = isAll ? this.#prefix : this.outer(key)
    if (rangeEnd.length === 0) return { ...rest, key: outer } as unknown as Options
    const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0
    const end = isOpen ? prefixEnd(this.#prefix) : this.outer(rangeEnd)
    const isWhole = outer.length === 0
    const first = isWhole ? new Uint8Array(1) : outer
    return { ...rest, key: first, rangeEnd: end } as unknown as Options
  }

  deletion(key: Bytes, options: DeleteOptions): DeleteOptions & { readonly key: Uint8Array } {
    const { prefix, rangeEnd, ...rest } = options
    const inner =
      prefix === true ? { prefix: key } : rangeEnd === undefined ? { key } : { key, rangeEnd }
    const keys = this.keys<Keys>(inner)
    const end = keys.rangeEnd === undefined ? {} : { rangeEnd: keys.rangeEnd }
    return { ...rest, ...end, key: bytesOf(keys.key ?? '') }
  }

  txn(txn: Txn): Txn {
    const condition = (each: Condition): Condition => ({ ...each, key: this.outer(each.key) })
    const operation = (each: Operation): Operation => this.operation(each)
    return {
      ...txn,
      if: (txn.if ?? []).map(condition),
      then: (txn.then ?? []).map(operation),
      else: (txn.else ?? []).map(operation),
    }
  }

  operation(operation: Operation): Operation {
    if (operation.op === 'put') return { ...operation, key: this.outer(operation.key) }
    if (operation.op === 'range') return this.keys(operation)
    if (operation.op === 'txn') return { op: 'txn', txn: this.txn(operation.txn) }
    return { ...this.deletion(operation.key, operation), op: 'delete' }
  }

  result<Result extends Pick<RangeResult, 'pairs'>>(result: Result): Result {
    return { ...result, pairs: result.pairs.map((pair) => this.inner(pair)) }
  }

  streams(stream: NonNullable<Kv['rangeStream']>): NonNullable<Kv['rangeStream']> {
    const inner = (pair: KvPair): KvPair => this.inner(pair)
    const keys = (options: StreamOptions): StreamOptions => this.keys(options)
    return async function* (options) {
      for await (const pairs of stream(keys(options))) yield pairs.map(inner)
    }
  }

  operationResult(result: OperationResult): OperationResult {
    if (result.op === 'range') return this.result(result)
    if (result.op === 'put') return { ...result, prev: this.optional(result.prev) }
    if (result.op === 'txn') {
      return { ...result, results: result.results.map((each) => this.operationResult(each)) }
    }
    return { ...result, prev: result.prev.map((pair) => this.inner(pair)) }
  }

  event(event: KvEvent): KvEvent {
    return { ...event, kv: this.inner(event.kv), prev: this.optional(event.prev) }
  }
}
