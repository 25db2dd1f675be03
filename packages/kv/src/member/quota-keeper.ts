// What prefixes and users may have, at this member: it counts what was there before a rule, a slice at a time, and lets writes into the log or
// not. A change of the rules goes through the log, and holds on every member from the same entry on.
import { owner, type Caller } from '../auth/caller.ts'
import { KvError } from '../errors.ts'
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeQuotaRemoveRequest,
  decodeQuotaSetRequest,
  decodeTxnRequest,
} from '../proto/index.ts'
import type { QuotaListResponse } from '../proto/index.ts'
import type { HeaderOnlyResponse, RequestOp, ResponseHeader } from '../proto/messages.ts'
import { PlannedWrite } from '../quota/planned-write.ts'
import type { Release } from '../quota/quota-book.ts'
import { encodeQuotaCommand } from '../quota/quota-command.ts'
import { checkQuotaRule } from '../quota/quota-rule.ts'
import type { CommandName } from './command.ts'
import type { LogGate, WriteGuard } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { Done } from './types.ts'

/** Between two slices others have their turn. */
const sliceKeysMax = 500
const knownRetryMs = 20
const knownRetriesMax = 50
const noRule =
  'balsa: bad quota: the request has no "rule": want {"rule": {"prefix": <base64> or "user": <name>, and at least one of "keys_max", "size_bytes_max", "writes_per_second_max"}}'
const notKnown = 'etcdserver: not capable: not all members say that they know quotas'

/** Requests come as protobuf bytes of our Quota service. */
export interface QuotaApi {
  set(body: Uint8Array, done: Done<HeaderOnlyResponse>): void
  remove(body: Uint8Array, done: Done<HeaderOnlyResponse>): void
  /** As this member has applied and counted them. */
  list(done: Done<QuotaListResponse>): void
}

export interface QuotaKeeperOptions {
  readonly gate: LogGate
  readonly stateMachine: KvStateMachine
  readonly clock: MemberClock
  readonly header: () => ResponseHeader
}

export class QuotaKeeper implements QuotaApi, WriteGuard {
  readonly #options: QuotaKeeperOptions
  #isCounting = false

  constructor(options: QuotaKeeperOptions) {
    this.#options = options
    const { gate, stateMachine } = options
    gate.guardWrites(this)
    stateMachine.onQuotas(() => this.#count())
    this.#count()
  }

  set(body: Uint8Array, done: Done<HeaderOnlyResponse>, caller: Caller = owner): void {
    this.#propose('set', body, done, caller, () => {
      const rule = decodeQuotaSetRequest(body)
      if (rule === undefined) throw new KvError('QUOTA_MALFORMED', { message: noRule })
      checkQuotaRule(rule)
    })
  }

  remove(body: Uint8Array, done: Done<HeaderOnlyResponse>, caller: Caller = owner): void {
    this.#propose('remove', body, done, caller, () => decodeQuotaRemoveRequest(body))
  }

  list(done: Done<QuotaListResponse>): void {
    const quotas = this.#options.stateMachine.quotas.list().map((use) => {
      const { rule, used, isCounted, refused } = use
      return { rule, ...used, isCounted, refused }
    })
    done(undefined, { header: this.#options.header(), quotas })
  }

  /** Throws what the write is refused with; undefined: there is nothing to give back. */
  admit(name: CommandName, body: Uint8Array, caller: Caller): Release | undefined {
    const { stateMachine, clock } = this.#options
    if (stateMachine.quotas.size === 0 || stateMachine.isRestoring) return undefined
    const ops = opsOf(name, body)
    if (ops === undefined) return undefined
    const write = new PlannedWrite(ops, stateMachine.store)
    return stateMachine.quotas.admit(write, caller, clock.now())
  }

  #propose(
    change: 'set' | 'remove',
    body: Uint8Array,
    done: Done<HeaderOnlyResponse>,
    caller: Caller,
    check: () => unknown,
  ): void {
    try {
      check()
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return
    }
    this.#whenKnown(knownRetriesMax, (isKnown) => {
      const { gate } = this.#options
      if (isKnown) gate.propose('quota', encodeQuotaCommand(change, body), done, caller)
      else done(new KvError('NOT_CAPABLE', { message: notKnown }), undefined)
    })
  }

  /** Members that have just begun have not told each other yet what they know. */
  #whenKnown(retries: number, next: (isKnown: boolean) => void): void {
    const { gate, clock } = this.#options
    if (gate.knows('quota') || gate.isClosed || retries === 0) next(gate.knows('quota'))
    else clock.setTimer(knownRetryMs, () => this.#whenKnown(retries - 1, next))
  }

  #count(): void {
    if (this.#isCounting) return
    const { clock, stateMachine, gate } = this.#options
    if (stateMachine.quotas.size === 0 || stateMachine.isRestoring || gate.isClosed) return
    this.#isCounting = !stateMachine.quotas.count(stateMachine.store, sliceKeysMax)
    if (!this.#isCounting) return
    clock.defer(() => {
      this.#isCounting = false
      this.#count()
    })
  }
}

/** What a command may write; undefined for those that no quota is about. */
function opsOf(name: CommandName, body: Uint8Array): readonly RequestOp[] | undefined {
  if (name === 'put') return [{ type: 'put', request: decodePutRequest(body) }]
  if (name === 'txn') return [{ type: 'txn', request: decodeTxnRequest(body) }]
  if (name !== 'deleteRange') return undefined
  return [{ type: 'deleteRange', request: decodeDeleteRangeRequest(body) }]
}
