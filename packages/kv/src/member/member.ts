// One member of the cluster, as every wire calls it: requests are checked, writes go through the log, linearizable reads wait until
// this member has everything that was committed when they came.
import { owner, type Caller } from '../auth/caller.ts'
import type { Permits } from '../auth/permits.ts'
import { KvError } from '../errors.ts'
import { keyBytes } from '../mvcc/key-text.ts'
import { isSerializableTxn } from '../mvcc/check-txn.ts'
import { checkDeleteRangeBody, goodPut, goodRange, goodTxn } from './good-request.ts'
import {
  decodeCompactionRequest,
  decodeLeaseGrantRequest,
  encodeLeaseCheckpointRequest,
  encodeLeaseGrantRequest,
  encodeLeaseRevokeRequest,
} from '../proto/index.ts'
import type {
  AlarmResponse,
  DeleteRangeResponse,
  HashKvResponse,
  HeaderOnlyResponse,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseTimeToLiveResponse,
  MemberListResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  StatusResponse,
  TxnResponse,
} from '../proto/messages.ts'
import { HubWatchStream } from '../watch/hub-watch-stream.ts'
import { AuthService } from './auth/auth-service.ts'
import { CallerFinder } from './auth/caller-finder.ts'
import { MemberView } from './auth/member-view.ts'
import { ClusterRoster } from './cluster-roster.ts'
import { ClusterService } from './cluster-service.ts'
import { idText } from './identity.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { LocalReads } from './local-reads.ts'
import { LogGate } from './log-gate.ts'
import { Maintenance } from './maintenance.ts'
import type { MemberParts } from './member-parts.ts'
import { randomId } from './member-random.ts'
import { memberStatus } from './member-status.ts'
import { QuotaKeeper } from './quota-keeper.ts'
import { RemovalWatch } from './removal-watch.ts'
import { StorageKeeper } from './storage-keeper.ts'
import { plainStoragePlan } from './storage-options.ts'
import { encodeTermBound } from './term-bound.ts'
import { proposeTtlPut } from './ttl-put.ts'
import type { Credentials, Done, MemberApi, WatchSink } from './types.ts'

/** Used as it is, it does what it is asked: it is its owner's. `as()` gives what others may have of it. */
export class MemberCore implements MemberApi {
  readonly id: bigint
  readonly clusterId: bigint
  readonly cluster: ClusterService
  readonly leases: LeaseKeeper
  readonly auth: AuthService
  readonly quotas: QuotaKeeper
  readonly maintenance: Maintenance
  readonly #parts: MemberParts
  readonly #gate: LogGate
  readonly #roster: ClusterRoster
  readonly #finder: CallerFinder
  readonly #removal: RemovalWatch
  readonly #reads: LocalReads
  readonly storage: StorageKeeper
  #cancelProgress: () => void = () => undefined

  constructor(parts: MemberParts) {
    const { clock, stateMachine, consensus, electionTimeoutMs, peers } = parts
    this.id = parts.id
    this.clusterId = parts.clusterId
    this.#parts = parts
    const gate = new LogGate(parts)
    this.#gate = gate
    this.maintenance = new Maintenance({ ...parts, gate })
    const { jwt } = parts
    this.#finder = new CallerFinder({
      machine: stateMachine.auth,
      clock,
      jwt,
      appliedIndex: () => stateMachine.applied.index,
    })
    this.auth = new AuthService({
      ...parts,
      jwt,
      machine: stateMachine.auth,
      gate,
      header: () => this.header(),
    })
    this.quotas = new QuotaKeeper({ ...parts, gate, header: () => this.header() })
    this.#reads = new LocalReads({
      stateMachine,
      clock,
      metrics: parts.metrics,
      isClosed: () => gate.isClosed,
    })
    this.#roster = new ClusterRoster({ ...parts, gate })
    this.cluster = new ClusterService({
      ...parts,
      gate,
      roster: this.#roster,
      link: peers.clusterLink,
      isReachable: peers.isReachable,
      header: () => this.header(),
      connectedSinceMs: (id) => peers.transport.connectedSinceMs(id),
    })
    this.storage = new StorageKeeper({
      ...parts,
      gate,
      storage: parts.storage ?? plainStoragePlan,
      data: this.maintenance,
      questions: peers.questions,
      members: () => this.#roster.list(),
    })
    this.#removal = new RemovalWatch({
      ...parts,
      questions: peers.questions,
      hasLeader: () => gate.leader !== 0n,
      members: () => this.#roster.list(),
    })
    this.leases = new LeaseKeeper({
      lessor: () => stateMachine.lessor,
      clock,
      electionTimeoutMs,
      link: peers.link,
      settings: parts.leases,
      checkpoint: (checkpoints, term, done) => {
        const request = encodeLeaseCheckpointRequest({ checkpoints })
        if (!gate.knows('leaseRemaining')) gate.propose('leaseCheckpoint', request, done)
        else gate.propose('leaseRemaining', encodeTermBound(term, request), done)
      },
      confirm: (done) => consensus.read(done),
      revoke: (id, term, done) => {
        const request = encodeLeaseRevokeRequest({ id })
        if (!gate.knows('leaseExpire')) gate.propose('leaseRevoke', request, done)
        else gate.propose('leaseExpire', encodeTermBound(term, request), done)
      },
    })
    this.#notifyProgress()
  }

  header(): ResponseHeader {
    const { stateMachine } = this.#parts
    return stateMachine.header(stateMachine.store.revision)
  }

  /** Undefined: the usual one. */
  get txnOpsMax(): number | undefined {
    return this.#parts.limits?.txnOpsMax
  }

  range(body: Uint8Array, done: Done<RangeResponse>, caller: Caller = owner): void {
    const request = this.#decode(() => goodRange(body), done)
    if (request === undefined) return
    this.#parts.metrics.range()
    const { serializable, maxStalenessMs = 0 } = request
    const read = (): void => this.#reads.range(request, done, caller)
    if (serializable) read()
    else if (maxStalenessMs > 0) this.#gate.afterStaleRead(maxStalenessMs, done, read)
    else this.#gate.afterRead(done, read)
  }

  put(body: Uint8Array, done: Done<PutResponse>, caller: Caller = owner): void {
    const request = this.#decode(() => goodPut(body), done)
    if (request === undefined) return
    const { lease, ttlSeconds = 0 } = request
    if (ttlSeconds === 0) {
      this.#gate.propose('put', body, done, caller)
      return
    }
    const named = lease !== 0n ? request : { ...request, lease: randomId(this.#parts.random) }
    proposeTtlPut(this.#gate, { request: named, caller }, done)
  }

  deleteRange(body: Uint8Array, done: Done<DeleteRangeResponse>, caller: Caller = owner): void {
    const isGood = this.#decode(() => {
      checkDeleteRangeBody(body)
      return true
    }, done)
    if (isGood) this.#gate.propose('deleteRange', body, done, caller)
  }

  txn(body: Uint8Array, done: Done<TxnResponse>, caller: Caller = owner): void {
    const good = this.#decode(() => goodTxn(body, this.txnOpsMax), done)
    if (good === undefined) return
    const { request, isReadOnly } = good
    if (!isReadOnly) this.#gate.propose('txn', body, done, caller)
    else if (isSerializableTxn(request)) this.#reads.txn(request, done, caller)
    else this.#gate.afterRead(done, () => this.#reads.txn(request, done, caller))
  }

  compact(body: Uint8Array, done: Done<HeaderOnlyResponse>, caller: Caller = owner): void {
    const request = this.#decode(() => decodeCompactionRequest(body), done)
    if (request === undefined) return
    const { stateMachine } = this.#parts
    const compacted: Done<HeaderOnlyResponse> = (error, result) => {
      if (error !== undefined || !request.physical) done(error, result)
      else stateMachine.housekeeping.compact(stateMachine.store, () => done(undefined, result))
    }
    this.#gate.propose('compact', body, compacted, caller)
  }

  leaseGrant(body: Uint8Array, done: Done<LeaseGrantResponse>, caller: Caller = owner): void {
    const request = this.#decode(() => decodeLeaseGrantRequest(body), done)
    if (request === undefined) return
    if (request.id !== 0n) this.#gate.propose('leaseGrant', body, done, caller)
    else {
      const chosen = encodeLeaseGrantRequest({ ...request, id: randomId(this.#parts.random) })
      this.#gate.propose('leaseGrant', chosen, done, caller)
    }
  }

  leaseRevoke(body: Uint8Array, done: Done<HeaderOnlyResponse>, caller: Caller = owner): void {
    this.#gate.propose('leaseRevoke', body, done, caller)
  }

  leaseKeepAlive(id: bigint, done: Done<LeaseKeepAliveResponse>): void {
    // Taken before the renewal: what the reply speaks of is at least this new.
    const header = this.header()
    this.leases.renew(id, (error, ttl = 0) => {
      if (error === undefined) this.#parts.metrics.leaseRenewed()
      done(error, error === undefined ? { header, id, ttl } : undefined)
    })
  }

  leaseTimeToLive(id: bigint, keys: boolean, done: Done<LeaseTimeToLiveResponse>): void {
    this.leases.timeToLive(id, (error, times) => {
      if (error !== undefined) {
        done(error, undefined)
        return
      }
      done(undefined, {
        header: this.header(),
        id,
        ttl: times === undefined ? -1 : times.ttlSeconds,
        grantedTtl: times === undefined ? 0 : times.grantedTtlSeconds,
        keys: keys && times !== undefined ? times.keys.map(keyBytes) : [],
      })
    })
  }

  leaseLeases(done: Done<LeaseLeasesResponse>): void {
    done(undefined, { header: this.header(), leases: this.#parts.stateMachine.lessor.ids() })
  }

  openWatchStream(sink: WatchSink): HubWatchStream {
    const { stateMachine, metrics } = this.#parts
    metrics.watchStreams(1)
    return new HubWatchStream(stateMachine.hub, sink, {
      header: (revision) => stateMachine.header(revision),
      onClose: () => metrics.watchStreams(-1),
    })
  }

  memberList(linearizable: boolean, done: Done<MemberListResponse>): void {
    if (!linearizable) done(undefined, this.#members())
    else this.#gate.afterRead(done, () => done(undefined, this.#members()))
  }

  status(): StatusResponse {
    const { quotaBytes } = this.storage
    const alarms = this.maintenance.alarmTexts()
    return memberStatus(this.#parts, { header: this.header(), alarms, quotaBytes })
  }

  hashKv(revision: number, done: Done<HashKvResponse>): void {
    this.maintenance.hashKv(revision, done)
  }

  alarms(done: Done<AlarmResponse>): void {
    done(undefined, { header: this.header(), alarms: this.maintenance.alarms() })
  }

  defragment(done: Done<undefined>): void {
    this.maintenance.defragment(done)
  }

  leader(): bigint {
    return this.#gate.leader
  }

  metrics(): Promise<string> {
    return this.#parts.metrics.text()
  }

  as(credentials: Credentials): MemberApi {
    return new MemberView(this, credentials)
  }

  findCaller(credentials: Credentials, done: Done<Caller>): void {
    this.#finder.find(credentials, done)
  }

  get permits(): Permits {
    return this.#parts.stateMachine.auth.permits
  }

  /** The highest kind of command that all members apply. */
  get highestCommand(): number {
    return this.#parts.stateMachine.cluster.commands
  }

  /** raft says who leads. */
  leaderChanged(leader: string | undefined, term: number): void {
    this.#gate.leaderChanged(leader)
    this.leases.leaderChanged(this.#gate.leader === this.id, term)
  }

  /** The membership in force here, or what is known of the members. */
  membersChanged(): void {
    this.#removal.membersChanged()
    void this.cluster.settleCommands()
  }

  /** Nobody else has a vote. */
  get isAlone(): boolean {
    const { voters, votersOutgoing } = this.#parts.stateMachine.membership
    return voters.length === 1 && voters[0] === idText(this.id) && votersOutgoing.length === 0
  }

  /** Undefined: no leader is known. */
  leaderPeerUrl(): string | undefined {
    return this.#roster.leaderPeerUrl()
  }

  /** Tells the cluster this member's name and URLs; resolves when it is part of a cluster that has a quorum, or at close(). */
  async publish(clientUrls: readonly string[]): Promise<void> {
    const { name, peerUrls } = this.#parts
    await this.#roster.publish({ id: idText(this.id), name, clientUrls, peerUrls })
    await this.cluster.settleCommands()
  }

  /** Hands the lead over if there is someone to take it, answers what waits, and stops. */
  async close(): Promise<void> {
    if (this.#gate.isClosed) return
    this.#gate.close()
    const { consensus, stateMachine, backend } = this.#parts
    // Entries are applied until the lead is handed over.
    await consensus.close()
    this.#cancelProgress()
    this.storage.stop()
    this.leases.stop()
    this.cluster.stop()
    this.#removal.stop()
    stateMachine.housekeeping.stop()
    await this.#parts.passwords.close()
    await stateMachine.housekeeping.finish()
    await backend.close()
  }

  #notifyProgress(): void {
    const { clock, stateMachine, progressIntervalMs } = this.#parts
    this.#cancelProgress = clock.setTimer(progressIntervalMs, () => {
      stateMachine.hub.notifyProgress()
      this.#notifyProgress()
    })
  }

  /** Runs a check; refuses the request with what it throws. */
  #decode<T>(check: () => T, done: Done<never>): T | undefined {
    try {
      if (this.#gate.isClosed) throw new KvError('STOPPED')
      return check()
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return undefined
    }
  }

  #members(): MemberListResponse {
    return { header: { ...this.header(), revision: 0 }, members: this.#roster.list() }
  }
}
