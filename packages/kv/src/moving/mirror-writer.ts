// Writes what changed in one store into another: every revision is applied as a whole, in order, and several at a time where they fit
// into one txn and no key is in two of them.
import { keyText } from '../mvcc/key-text.ts'
import type { Kv, KvEvent, Operation } from '../kv.ts'
import { keepTrying, type KeepTryingOptions } from './keep-trying.ts'

/** etcd's default of --max-txn-ops. */
export const mirrorTxnOpsMax = 128
const txnSizeBytesMax = 2 ** 20
const opSizeBytes = 32

export type MirrorOperation = Extract<Operation, { op: 'put' } | { op: 'delete' }>

export class MirrorWriter {
  readonly #destination: Kv
  readonly #options: KeepTryingOptions
  #operations = new Map<string, MirrorOperation>()
  #sizeBytes = 0
  #written = 0

  constructor(destination: Kv, options: KeepTryingOptions) {
    this.#destination = destination
    this.#options = options
  }

  /** Puts and deletes that are at the destination. */
  get written(): number {
    return this.#written
  }

  /** Of one revision: they are in one txn unless they are more than fit into one. */
  async add(operations: readonly MirrorOperation[]): Promise<void> {
    const last = new Map(operations.map((each) => [textOf(each), each]))
    const sizeBytes = [...last.values()].reduce((sum, each) => sum + sizeOf(each), 0)
    const isFull =
      this.#operations.size + last.size > mirrorTxnOpsMax ||
      this.#sizeBytes + sizeBytes > txnSizeBytesMax ||
      [...last.keys()].some((key) => this.#operations.has(key))
    if (isFull) await this.flush()
    for (const [key, operation] of last) {
      const size = sizeOf(operation)
      const isOver =
        this.#operations.size === mirrorTxnOpsMax || this.#sizeBytes + size > txnSizeBytesMax
      if (isOver && this.#operations.size > 0) await this.flush()
      this.#operations.set(key, operation)
      this.#sizeBytes += size
    }
  }

  /** Everything added so far is at the destination when it resolves. */
  async flush(): Promise<void> {
    const then = [...this.#operations.values()]
    if (then.length === 0) return
    this.#operations = new Map()
    this.#sizeBytes = 0
    await keepTrying(() => this.#destination.txn({ then }), this.#options)
    this.#written += then.length
  }
}

/** The events of each revision, in order. */
export function* revisionsOf(events: readonly KvEvent[]): Iterable<readonly KvEvent[]> {
  let from = 0
  for (let i = 1; i <= events.length; i++) {
    if (events[i]?.kv.modRevision === events[from]?.kv.modRevision && i < events.length) continue
    yield events.slice(from, i)
    from = i
  }
}

function textOf({ key }: MirrorOperation): string {
  return typeof key === 'string' ? key : keyText(key)
}

function sizeOf(operation: MirrorOperation): number {
  const value = operation.op === 'put' ? operation.value.length : 0
  return operation.key.length + value + opSizeBytes
}
