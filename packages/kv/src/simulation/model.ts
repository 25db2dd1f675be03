// What a request does to a state when nothing else happens: a small, slow and separate account of etcd's rules, against which the members'
// answers are judged.
import { keyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import {
  compareResult,
  compareTarget,
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from '../proto/messages.ts'
import type { Change, CommittedHistory, Pair } from './committed-history.ts'

/** What an operation answers. */
export type Outcome =
  | { readonly type: 'range'; readonly range: RangeOutcome }
  | { readonly type: 'put'; readonly previous: Pair | undefined }
  | { readonly type: 'deleteRange'; readonly deleted: readonly Pair[] }

export interface RangeOutcome {
  readonly pairs: readonly Pair[]
  readonly more: boolean
  readonly count: number
}

export interface TxnOutcome {
  readonly succeeded: boolean
  readonly outcomes: readonly Outcome[]
}

/** A state, and what one write does to it. */
export class ModelWrite {
  readonly changes: Change[] = []
  readonly #history: CommittedHistory
  readonly #before: number
  readonly #changed = new Map<string, Pair | undefined>()

  /** Works on the state of revision `before`. */
  constructor(history: CommittedHistory, before: number) {
    this.#history = history
    this.#before = before
  }

  get(key: string): Pair | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#history.pairAt(key, this.#before)
  }

  rangeNow(key: Uint8Array, rangeEnd: Uint8Array): Pair[] {
    const range = keyRange(key, rangeEnd)
    const pairs = this.#history
      .rangeAt(range, this.#before)
      .filter((pair) => !this.#changed.has(pair.key))
    for (const [changed, pair] of this.#changed) {
      const isInside = changed >= range.from && (range.to === undefined || changed < range.to)
      if (isInside && pair !== undefined) pairs.push(pair)
    }
    return pairs.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  range(request: RangeRequest): RangeOutcome {
    const { revision, key, rangeEnd } = request
    const all =
      revision > 0 && revision <= this.#before
        ? this.#history.rangeAt(keyRange(key, rangeEnd), revision)
        : this.rangeNow(key, rangeEnd)
    return selected(all, request)
  }

  put(request: PutRequest): Pair | undefined {
    const key = keyText(request.key)
    const before = this.get(key)
    const mod = this.#before + 1
    const pair = {
      key,
      value: keyText(request.value),
      create: before?.create ?? mod,
      mod,
      version: (before?.version ?? 0) + 1,
      lease: request.lease,
    }
    this.#change(key, pair)
    return before
  }

  deleteRange(request: DeleteRangeRequest): readonly Pair[] {
    const doomed = this.rangeNow(request.key, request.rangeEnd)
    for (const { key } of doomed) this.#change(key, undefined)
    return doomed
  }

  txn(request: TxnRequest): TxnOutcome {
    const succeeded = request.compare.every((compare) => this.#holds(compare))
    const ops = succeeded ? request.success : request.failure
    return { succeeded, outcomes: ops.map((op) => this.#op(op)) }
  }

  #op(op: RequestOp): Outcome {
    if (op?.type === 'put') return { type: 'put', previous: this.put(op.request) }
    if (op?.type === 'deleteRange') {
      return { type: 'deleteRange', deleted: this.deleteRange(op.request) }
    }
    if (op?.type === 'range') return { type: 'range', range: this.range(op.request) }
    throw new Error('The simulated clients ask for no such operation')
  }

  #change(key: string, pair: Pair | undefined): void {
    this.#changed.set(key, pair)
    this.changes.push({ key, pair })
  }

  #holds(compare: Compare): boolean {
    const pairs = this.rangeNow(compare.key, compare.rangeEnd)
    if (pairs.length === 0) {
      return (
        compare.target !== compareTarget.value && judge(compare, differenceOf(undefined, compare))
      )
    }
    return pairs.every((pair) => judge(compare, differenceOf(pair, compare)))
  }
}

function differenceOf(pair: Pair | undefined, compare: Compare): number {
  const { target, number } = compare
  if (target === compareTarget.version) return (pair?.version ?? 0) - number
  if (target === compareTarget.create) return (pair?.create ?? 0) - number
  if (target === compareTarget.mod) return (pair?.mod ?? 0) - number
  if (target === compareTarget.lease) return Number((pair?.lease ?? 0n) - compare.lease)
  const [a, b] = [pair?.value ?? '', keyText(compare.value)]
  return a === b ? 0 : a < b ? -1 : 1
}

function judge({ result }: Compare, difference: number): boolean {
  if (result === compareResult.equal) return difference === 0
  if (result === compareResult.notEqual) return difference !== 0
  return result === compareResult.greater ? difference > 0 : difference < 0
}

/** Limits, and the order by mod revision or key downwards: what the simulated clients ask for. */
function selected(all: readonly Pair[], request: RangeRequest): RangeOutcome {
  const { limit, countOnly, sortOrder, sortTarget, minModRevision } = request
  if (countOnly) return { pairs: [], more: false, count: all.length }
  let pairs = all.filter((pair) => minModRevision === 0 || pair.mod >= minModRevision)
  if (sortOrder === 2) {
    const by = (pair: Pair): number | string => (sortTarget === 3 ? pair.mod : pair.key)
    pairs.sort((a, b) => (by(a) > by(b) ? -1 : 1))
  }
  const more = limit > 0 && pairs.length > limit
  if (more) pairs = pairs.slice(0, limit)
  return { pairs, more, count: all.length }
}
