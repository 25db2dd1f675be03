// There is an order of all requests, true to the time of each, in which every answer is right. The members name it themselves: an answer
// carries the revision it speaks of, so one look at that state judges it, and revisions must not run against time.
import { keyText } from '../../mvcc/key-text.ts'
import type {
  EncodedKeyValue,
  RangeRequest,
  RangeResponse,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from '../../proto/messages.ts'
import type { Answer, Call } from '../calls.ts'
import {
  describe,
  isSame,
  isSamePair,
  pairOf,
  pairText,
  type CommittedHistory,
  type Pair,
} from '../committed-history.ts'
import { ModelWrite, type Outcome, type RangeOutcome } from '../model.ts'
import { Violation } from '../violation.ts'

const property = 'linearizability'

export class LinearizabilityChecker {
  readonly #history: CommittedHistory
  /** The newest revision that each life of a member has told of: a member never goes back by itself. */
  readonly #toldByLife = new Map<number, number>()

  constructor(history: CommittedHistory) {
    this.#history = history
  }

  /** Returns the revision that the call made, if it changed anything. */
  answered(call: Call, answer: Answer): number | undefined {
    const { request } = call
    if (answer.response !== undefined) this.#inTime(call, answer.response.header.revision)
    if (request.type === 'range' && answer.type === 'range') {
      this.#range(call, request.request, answer.response)
    } else if (request.type === 'put' && answer.type === 'put') {
      const { header, prevKv } = answer.response
      const write = this.#writeAt(call, header.revision)
      const before = write.put(request.request)
      this.#isRightPair(call, prevKv, request.request.prevKv ? before : undefined)
      return this.#made(call, header.revision, write)
    } else if (request.type === 'deleteRange' && answer.type === 'deleteRange') {
      const { header, deleted, prevKvs } = answer.response
      const write = this.#writeAt(call, header.revision, deleted > 0)
      const doomed = write.deleteRange(request.request)
      this.#isRight(call, deleted === doomed.length, `deleted ${deleted}, not ${doomed.length}`)
      if (request.request.prevKv) this.#isRightPairs(call, prevKvs, doomed)
      if (deleted > 0) return this.#made(call, header.revision, write)
    } else if (request.type === 'txn' && answer.type === 'txn') {
      return this.#txn(call, request.request, answer.response)
    }
    return undefined
  }

  /** Revisions grow with time: what was told before the call is not forgotten, and nothing of the future is told. */
  #inTime(call: Call, revision: number): void {
    const { request, life, floor } = call
    if (revision > this.#history.revision) {
      throw this.#wrong(call, `revision ${revision} was told, ${this.#history.revision} is newest`)
    }
    const told = this.#toldByLife.get(life) ?? 0
    const isLocal =
      (request.type === 'range' && request.request.serializable) ||
      request.type === 'hashKv' ||
      request.type === 'leaseKeepAlive' ||
      request.type === 'leaseTimeToLive'
    if (!isLocal && revision < floor) {
      throw this.#wrong(call, `revision ${revision} was told, ${floor} was known before`)
    }
    if (isLocal && request.type === 'range' && revision < told) {
      throw this.#wrong(
        call,
        `revision ${revision} was told, the member itself told ${told} before`,
      )
    }
    this.#toldByLife.set(life, Math.max(told, request.type === 'range' ? revision : 0))
  }

  #range(call: Call, request: RangeRequest, response: RangeResponse): void {
    const now = response.header.revision
    if (request.revision > now) {
      throw this.#wrong(call, `read revision ${request.revision} at revision ${now}`)
    }
    const isOld = request.revision > 0 && !request.serializable
    if (isOld && request.revision < call.compactFloor) {
      throw this.#wrong(call, `read ${request.revision}, compacted at ${call.compactFloor}`)
    }
    this.#isRightRange(call, request, response, new ModelWrite(this.#history, now).range(request))
  }

  #txn(call: Call, request: TxnRequest, response: TxnResponse): number | undefined {
    const { revision } = response.header
    const hasWritten = response.responses.some(isWrite)
    const write = this.#writeAt(call, revision, hasWritten)
    const { succeeded, outcomes } = write.txn(request)
    const branch = succeeded ? request.success : request.failure
    this.#isRight(call, succeeded === response.succeeded, `succeeded is ${response.succeeded}`)
    this.#isRight(call, outcomes.length === response.responses.length, 'has other responses')
    for (const [i, outcome] of outcomes.entries()) {
      const [op, made] = [branch[i], response.responses[i]]
      if (made === undefined) continue
      if (made.type === 'range' && op?.type === 'range' && op.request.revision > revision) {
        throw this.#wrong(call, `read revision ${op.request.revision} at revision ${revision}`)
      }
      const wantsPrevious = op?.type === 'put' || op?.type === 'deleteRange'
      this.#isRightOutcome(call, made, outcome, {
        request: op?.type === 'range' ? op.request : undefined,
        prevKv: wantsPrevious && op.request.prevKv,
      })
    }
    return hasWritten ? this.#made(call, revision, write) : undefined
  }

  #isRightOutcome(
    call: Call,
    made: ResponseOp,
    outcome: Outcome,
    op: { readonly request: RangeRequest | undefined; readonly prevKv: boolean },
  ): void {
    if (made.type === 'range' && outcome.type === 'range' && op.request !== undefined) {
      this.#isRightRange(call, op.request, made.response, outcome.range)
    } else if (made.type === 'put' && outcome.type === 'put') {
      this.#isRightPair(call, made.response.prevKv, op.prevKv ? outcome.previous : undefined)
    } else if (made.type === 'deleteRange' && outcome.type === 'deleteRange') {
      const { deleted, prevKvs } = made.response
      const { length } = outcome.deleted
      this.#isRight(call, deleted === length, `deleted ${deleted}, not ${length}`)
      if (op.prevKv) this.#isRightPairs(call, prevKvs, outcome.deleted)
    } else throw this.#wrong(call, `a ${made.type} answers a ${outcome.type}`)
  }

  /** The state that a write met; a write without effect sees the revision it names. */
  #writeAt(call: Call, revision: number, hasWritten: boolean = true): ModelWrite {
    if (hasWritten && revision <= call.floor) {
      throw this.#wrong(call, `made revision ${revision}, which ${call.floor} was known before`)
    }
    return new ModelWrite(this.#history, hasWritten ? revision - 1 : revision)
  }

  #made(call: Call, revision: number, write: ModelWrite): number {
    const made = this.#history.at(revision)?.changes ?? []
    if (!isSame(write.changes, made)) {
      const what = `revision ${revision} is ${describe(made)}, not ${describe(write.changes)}`
      throw this.#wrong(call, what)
    }
    return revision
  }

  #isRightRange(
    call: Call,
    request: RangeRequest,
    response: RangeResponse,
    right: RangeOutcome,
  ): void {
    const { kvs, more, count } = response
    this.#isRight(call, count === right.count, `count is ${count}, not ${right.count}`)
    this.#isRight(call, more === right.more, `more is ${more}`)
    const pairs = request.keysOnly
      ? right.pairs.map((pair) => ({ ...pair, value: '' }))
      : right.pairs
    this.#isRightPairs(call, kvs, pairs)
  }

  #isRightPairs(call: Call, told: readonly EncodedKeyValue[], right: readonly Pair[]): void {
    const pairs = told.map(pairOf)
    const isRight =
      pairs.length === right.length && pairs.every((pair, i) => isSamePair(pair, right[i]))
    if (isRight) return
    const text = (list: readonly Pair[]): string => `[${list.map(pairText).join(', ')}]`
    throw this.#wrong(call, `was told ${text(pairs)}, not ${text(right)}`)
  }

  #isRightPair(call: Call, told: EncodedKeyValue | undefined, right: Pair | undefined): void {
    const pair = told === undefined ? undefined : pairOf(told)
    if (isSamePair(pair, right)) return
    throw this.#wrong(call, `was told ${pairText(pair)} stood there before, not ${pairText(right)}`)
  }

  #isRight(call: Call, isRight: boolean, what: string): void {
    if (!isRight) throw this.#wrong(call, what)
  }

  #wrong(call: Call, what: string): Violation {
    const { number, request, member } = call
    const key = 'request' in request && 'key' in request.request ? keyText(request.request.key) : ''
    return new Violation(
      property,
      `request ${number} (${request.type} ${key}) at ${member}: ${what}`,
    )
  }
}

function isWrite(op: ResponseOp): boolean {
  return op.type === 'put' || (op.type === 'deleteRange' && op.response.deleted > 0)
}
