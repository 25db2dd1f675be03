// Ranges and read-only txns on what this member has applied. Whether it has enough is for others to say; whether the caller may see it is
// judged here, on the same state that is read.
import type { Caller } from '../auth/caller.ts'
import { KvError } from '../errors.ts'
import { rangeSteps } from '../mvcc/range.ts'
import { applyTxn } from '../mvcc/txn.ts'
import type { RangeRequest, RangeResponse, TxnRequest, TxnResponse } from '../proto/messages.ts'
import type { MemberClock } from './member-clock.ts'
import type { MemberMetrics } from './member-metrics.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { Done } from './types.ts'

export interface LocalReadsOptions {
  readonly stateMachine: KvStateMachine
  readonly clock: MemberClock
  readonly metrics: MemberMetrics
  readonly isClosed: () => boolean
}

export class LocalReads {
  readonly #options: LocalReadsOptions

  constructor(options: LocalReadsOptions) {
    this.#options = options
  }

  /** A large range is read in steps, so that it holds up nobody. */
  range(request: RangeRequest, done: Done<RangeResponse>, caller: Caller): void {
    const { stateMachine, clock } = this.#options
    const { store, housekeeping } = stateMachine
    const { permits } = stateMachine.auth
    const steps = rangeSteps(store, request)
    const next = (isFirst: boolean): void => {
      const step = this.#attempt(() => {
        // A snapshot took the place of the state that was being read.
        if (store !== stateMachine.store) throw new KvError('LEADER_CHANGED')
        if (isFirst) permits.range(caller, request)
        else permits.stillGood(caller)
        return steps.next()
      }, done)
      if (step !== undefined && step.done !== true) {
        if (isFirst) housekeeping.hold()
        clock.defer(() => next(false))
        return
      }
      if (!isFirst) housekeeping.resume()
      if (step === undefined) return
      const { kvs, more, count, revision } = step.value
      done(undefined, { header: stateMachine.header(revision), kvs, more, count })
    }
    next(true)
  }

  txn(request: TxnRequest, done: Done<TxnResponse>, caller: Caller): void {
    const { stateMachine, metrics } = this.#options
    const { store, lessor, auth } = stateMachine
    const response = this.#attempt(() => {
      auth.permits.txn(caller, request)
      return applyTxn(store, lessor, request)
    }, done)
    if (response === undefined) return
    metrics.txn(response.responses)
    done(undefined, { ...response, header: stateMachine.header(store.revision) })
  }

  /** Refuses the request with what `read` throws. */
  #attempt<T>(read: () => T, done: Done<never>): T | undefined {
    try {
      if (this.#options.isClosed()) throw new KvError('STOPPED')
      return read()
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return undefined
    }
  }
}
