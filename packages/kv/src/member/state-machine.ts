// What the log drives: applies commands to the store and the leases, keeps the tables and the applied index in step, tells the
// watchers. Deterministic but for lease times, which only the leader uses.
import { assert } from '@balsa/raft/assert'
import { AuthMachine } from '../auth/auth-machine.ts'
import { decodeCaller, stranger, type Caller } from '../auth/caller.ts'
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import type { Lessor } from '../lease/lessor.ts'
import type { Change } from '../mvcc/change.ts'
import { checkDeleteRange, checkPut, checkTxn } from '../mvcc/check-txn.ts'
import { keyRange } from '../mvcc/key-range.ts'
import type { MvccStore } from '../mvcc/store.ts'
import { applyTxn } from '../mvcc/txn.ts'
import {
  decodeAlarmRequest,
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodeLeaseCheckpointRequest,
  decodeLeaseGrantRequest,
  decodeLeaseRevokeRequest,
  decodePutRequest,
  decodeTxnRequest,
} from '../proto/index.ts'
import type { ResponseHeader } from '../proto/messages.ts'
import type { QuotaBook } from '../quota/quota-book.ts'
import { applyQuotaCommand } from '../quota/quota-command.ts'
import { WatchHub } from '../watch/watch-hub.ts'
import type { AlarmBook } from './alarm-book.ts'
import type { ClusterBook } from './cluster-book.ts'
import {
  commandKind,
  decodeCommand,
  type CommandName,
  type CommandResponse,
  type CommandResponses,
} from './command.ts'
import { Housekeeping } from './housekeeping.ts'
import { readHistory } from './history-reader.ts'
import { IndexCheckpoint } from './index-checkpoint.ts'
import { loadState, type LoadedState } from './load-state.ts'
import { encodeState, stateRowKey, type AppliedState } from './meta-rows.ts'
import { decodeSnapshot, encodeSnapshot } from './state-snapshot.ts'
import type { MemberClock } from './member-clock.ts'
import { requestOfTerm } from './term-bound.ts'

const defaultTokenTtlMs = 300_000

/** A refusal is a result too: every member must come to the same one. */
export type CommandResult = CommandResponse | KvError

/** What raft hands over; the same shape as its CommittedEntry, Membership and StateSnapshot. */
export interface AppliedEntry {
  readonly index: number
  readonly term: number
  readonly commands: readonly Uint8Array[]
}
export interface AppliedEntryReport {
  readonly term: number
  readonly results: readonly CommandResult[]
  readonly durationMs: number
}
export interface MembershipView {
  readonly voters: readonly string[]
  readonly votersOutgoing: readonly string[]
  readonly learners: readonly string[]
}

export interface StateMachineOptions {
  readonly backend: Backend
  readonly clusterId: bigint
  readonly memberId: bigint
  readonly clock: MemberClock
  readonly leaseTtlSecondsMin: number
  /** How long a simple token lives unused. */
  readonly tokenTtlMs?: number
  /** Rows written after which the index is saved. */
  readonly indexRowsMax?: number | undefined
  /** Called after each entry. */
  readonly onApplied?: (applied: AppliedEntryReport) => void
  /** The membership or what is known of the members may have changed. */
  readonly onMembers?: () => void
  /** The tables failed: the member cannot go on. */
  readonly onFailure?: (error: Error) => void
}

export class KvStateMachine {
  readonly hub: WatchHub
  readonly auth: AuthMachine
  readonly housekeeping: Housekeeping
  readonly durable: { readonly appliedIndex: number; checkpoint(): Promise<number> }
  readonly #options: StateMachineOptions
  readonly #backend: Backend
  #store: MvccStore
  #lessor: Lessor
  #alarms: AlarmBook
  #cluster: ClusterBook
  #quotas: QuotaBook
  #isRestoring = false
  #quotasChanged: () => void = () => undefined
  #membership: MembershipView = { voters: [], votersOutgoing: [], learners: [] }
  #applied: AppliedState
  /** Changes of the entry that is being applied. */
  #changes: Change[] = []
  /** Who made the command that is being applied. */
  #caller: Caller = stranger

  private constructor(options: StateMachineOptions, loaded: LoadedState) {
    this.#options = options
    this.#backend = options.backend
    this.#store = loaded.store
    this.#lessor = loaded.lessor
    this.#alarms = loaded.alarms
    this.#cluster = loaded.cluster
    this.#quotas = loaded.quotas
    this.#applied = loaded.applied
    const { clock, backend, onFailure = (): void => undefined } = options
    this.auth = new AuthMachine(loaded.auth, {
      leasedKeys: (id) => this.#lessor.attachedKeys(id),
      tokenTtlMs: options.tokenTtlMs ?? defaultTokenTtlMs,
    })
    const source = { backend, store: (): MvccStore => this.#store, onFailure }
    this.hub = new WatchHub(
      loaded.store,
      (from, to, done) => readHistory({ ...source, from, to, done }),
      (callback) => clock.defer(callback),
    )
    const index = new IndexCheckpoint(backend, { replayRowsMax: options.indexRowsMax })
    index.loaded(loaded.indexRevision, loaded.rowsRead)
    this.housekeeping = new Housekeeping({ backend, clock, index, state: this, onFailure })
    this.housekeeping.compact(loaded.store, () => undefined)
    this.durable = {
      appliedIndex: loaded.applied.index,
      checkpoint: async () => {
        const { index } = this.#applied
        await backend.flush({ sync: true })
        return index
      },
    }
  }

  /** Loads what the tables hold: leases first, since keys attach to them. */
  static async open(options: StateMachineOptions): Promise<KvStateMachine> {
    return new KvStateMachine(options, await loadState(options))
  }

  get store(): MvccStore {
    return this.#store
  }

  get lessor(): Lessor {
    return this.#lessor
  }

  get alarms(): AlarmBook {
    return this.#alarms
  }

  get applied(): AppliedState {
    return this.#applied
  }

  get membership(): MembershipView {
    return this.#membership
  }

  /** What is known of the members beside the membership itself. */
  get cluster(): ClusterBook {
    return this.#cluster
  }

  get quotas(): QuotaBook {
    return this.#quotas
  }

  /** While its tables are replaced by a snapshot's, the store cannot be read. */
  get isRestoring(): boolean {
    return this.#isRestoring
  }

  /** Calls when there are other rules, or other keys than were counted. */
  onQuotas(listener: () => void): void {
    this.#quotasChanged = listener
  }

  header(revision: number): ResponseHeader {
    const { clusterId, memberId } = this.#options
    return { clusterId, memberId, revision, raftTerm: this.#applied.term }
  }

  apply(entry: AppliedEntry): CommandResult[] {
    assert(entry.index > this.#applied.index, 'no entry is applied twice')
    const startMs = this.#options.clock.now()
    const compactBefore = this.#store.compactRevision
    // Replies of this entry carry its term.
    this.#applied = { ...this.#applied, index: entry.index, term: entry.term }
    const results = entry.commands.map((command) => this.#applyCommand(command))
    const { revision, compactRevision } = this.#store
    this.#applied = { index: entry.index, term: entry.term, revision, compactRevision }
    this.#backend.put(stateRowKey, encodeState(this.#applied))
    const changes = this.#changes
    this.#changes = []
    this.hub.notify(changes)
    if (compactRevision !== compactBefore) this.hub.compacted()
    const { clock, onApplied } = this.#options
    onApplied?.({ term: entry.term, results, durationMs: clock.now() - startMs })
    this.housekeeping.wrote(changes.length)
    return results
  }

  /** Its entry comes to apply() as well, and moves the applied index. */
  membershipChanged(membership: MembershipView): void {
    this.#membership = membership
    this.#options.onMembers?.()
  }

  snapshot(): {
    readonly index: number
    chunks(): AsyncIterable<Uint8Array>
    release(): void
  } {
    const view = this.#backend.view()
    return {
      index: this.#applied.index,
      chunks: () => encodeSnapshot(view),
      release: () => view.release(),
    }
  }

  async restore(index: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.housekeeping.pause()
    this.#isRestoring = true
    try {
      await this.#backend.replace(decodeSnapshot(chunks))
      const loaded = await loadState(this.#options)
      if (loaded.applied.index !== index) {
        const message = `The snapshot holds index ${loaded.applied.index}, not ${index}`
        throw new KvError('CORRUPT', { message })
      }
      this.#store = loaded.store
      this.#lessor = loaded.lessor
      this.#alarms = loaded.alarms
      this.#cluster = loaded.cluster
      this.#quotas = loaded.quotas
      this.#applied = loaded.applied
      this.auth.restored(loaded.auth)
      this.housekeeping.restored(loaded)
      this.hub.restored(loaded.store)
      this.housekeeping.compact(loaded.store, () => undefined)
    } finally {
      this.#isRestoring = false
      this.housekeeping.replaced()
      this.#quotasChanged()
    }
  }

  #applyCommand(command: Uint8Array): CommandResult {
    const { name, body } = decodeCommand(command)
    if (name === undefined) return new KvError('UNIMPLEMENTED')
    try {
      return this.#alarms.refusal(name, body) ?? this.#appliers[name](body)
    } catch (reason) {
      // Refusals are results; anything else is a bug or a broken table, and stops the member.
      if (reason instanceof KvError && reason.code !== 'CORRUPT') return reason
      throw reason
    }
  }

  readonly #appliers: { [Name in CommandName]: (body: Uint8Array) => CommandResponses[Name] } = {
    put: (body) => {
      const request = decodePutRequest(body)
      checkPut(request)
      this.auth.permits.put(this.#caller, request)
      const { lease, ttlSeconds = 0 } = request
      const isGranted = ttlSeconds > 0 && !this.#lessor.exists(lease)
      if (!isGranted) this.#store.checkPutLease(request)
      this.#store.checkPutKey(request)
      if (isGranted) this.#lessor.grant(lease, ttlSeconds, this.#options.clock.now())
      this.#store.beginWrite()
      const prevKv = this.#store.put(request)
      return { header: this.#endWrite(), prevKv }
    },
    deleteRange: (body) => {
      const request = decodeDeleteRangeRequest(body)
      checkDeleteRange(request)
      this.auth.permits.deleteRange(this.#caller, request)
      this.#store.beginWrite()
      const range = keyRange(request.key, request.rangeEnd)
      const { deleted, prevs } = this.#store.delete(range, request.prevKv)
      return { header: this.#endWrite(), deleted, prevKvs: prevs }
    },
    txn: (body) => {
      const request = decodeTxnRequest(body)
      // How many operations there may be was the proposing member's business: it must not be each member's own here.
      checkTxn(request, Infinity)
      this.auth.permits.txn(this.#caller, request)
      this.#store.beginWrite()
      try {
        const response = applyTxn(this.#store, this.#lessor, request)
        return { ...response, header: this.#endWrite() }
      } catch (reason) {
        // Refused before anything changed.
        this.#endWrite()
        throw reason
      }
    },
    compact: (body) => {
      this.auth.permits.admin(this.#caller)
      this.#store.compact(decodeCompactionRequest(body).revision)
      this.housekeeping.compact(this.#store, () => undefined)
      return { header: this.header(this.#store.revision) }
    },
    leaseGrant: (body) => {
      this.auth.permits.anyUser(this.#caller)
      const { id, ttl } = decodeLeaseGrantRequest(body)
      const granted = this.#lessor.grant(id, ttl, this.#options.clock.now())
      return { header: this.header(this.#store.revision), id, ttl: granted }
    },
    leaseRevoke: (body) => {
      const { id } = decodeLeaseRevokeRequest(body)
      const keys = this.#lessor.keysOf(id)
      this.auth.permits.leaseRevoke(this.#caller, id)
      this.#store.beginWrite()
      this.#store.deleteKeys(keys)
      this.#lessor.remove(id)
      return { header: this.#endWrite() }
    },
    leaseExpire: (body) => this.#appliers.leaseRevoke(requestOfTerm(this.#applied.term, body)),
    leaseRemaining: (body) =>
      this.#appliers.leaseCheckpoint(requestOfTerm(this.#applied.term, body)),
    leaseCheckpoint: (body) => {
      for (const checkpoint of decodeLeaseCheckpointRequest(body).checkpoints) {
        this.#lessor.checkpoint(checkpoint)
      }
      return { header: this.header(this.#store.revision) }
    },
    publish: (body) => {
      this.#cluster.publish(body)
      this.#options.onMembers?.()
      return { header: this.header(this.#store.revision) }
    },
    cluster: (body) => {
      this.#cluster.apply(body, this.#applied.term)
      this.#options.onMembers?.()
      return { header: this.header(this.#store.revision) }
    },
    quota: (body) => {
      this.auth.permits.admin(this.#caller)
      applyQuotaCommand(this.#quotas, body, this.#options.clock.now())
      this.#quotasChanged()
      return { header: this.header(this.#store.revision) }
    },
    as: (body) => {
      const { caller, command } = decodeCaller(body)
      if (command[0] === commandKind.as) throw new KvError('MALFORMED')
      this.#caller = caller
      try {
        const result = this.#applyCommand(command)
        if (result instanceof KvError) throw result
        return result
      } finally {
        this.#caller = stranger
      }
    },
    auth: (body) => {
      const point = { index: this.#applied.index, nowMs: this.#options.clock.now() }
      const token = this.auth.apply(body, this.#caller, point)
      return { header: this.header(this.#store.revision), token }
    },
    alarm: (body) => ({ header: undefined, alarms: this.#alarms.apply(decodeAlarmRequest(body)) }),
  }

  #endWrite(): ResponseHeader {
    const changes = this.#store.endWrite()
    for (const change of changes) this.#changes.push(change)
    if (this.#quotas.size > 0) {
      this.#quotas.wrote(changes, this.#caller, this.#store, this.#options.clock.now())
    }
    return this.header(this.#store.revision)
  }
}
