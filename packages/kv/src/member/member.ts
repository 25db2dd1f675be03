// One member of the cluster, as every wire calls it: requests are checked, writes go through the log, linearizable reads wait until
// this member has everything that was committed when they came.
import { randomBytes } from 'node:crypto'
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { keyBytes } from '../mvcc/key-text.ts'
import {
  checkDeleteRange,
  checkPut,
  checkTxn,
  isReadOnlyTxn,
  isSerializableTxn,
} from '../mvcc/check-txn.ts'
import { checkRange, range } from '../mvcc/range.ts'
import { applyTxn } from '../mvcc/txn.ts'
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodeLeaseGrantRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
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
  RangeRequest,
  RangeResponse,
  ResponseHeader,
  StatusResponse,
  TxnRequest,
  TxnResponse,
} from '../proto/messages.ts'
import { HubWatchStream } from '../watch/hub-watch-stream.ts'
import { encodeCommand, type CommandName, type CommandResponses } from './command.ts'
import type { Consensus } from './consensus.ts'
import { idText, parseIdText } from './identity.ts'
import { LeaseKeeper, type LeaderLink } from './lease-keeper.ts'
import type { MemberClock } from './member-clock.ts'
import { MemberMetrics } from './member-metrics.ts'
import { encodeAttributes, type MemberAttributes } from './meta-rows.ts'
import { kvErrorFromRaft } from './raft-failure.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'
import type { Done, MemberApi, WatchSink, WatchStream } from './types.ts'
import { etcdVersion } from './version.ts'

/** etcd's limit for one request, as it goes into the log. */
export const requestSizeBytesMax: number = 1.5 * 2 ** 20
/** Entries committed and not yet applied, and bytes not yet in the tables, above which writes are refused. */
const applyBacklogMax = 5000
const stagedSizeBytesMax = 64 * 2 ** 20
/** How often the backlog is looked at. */
const superviseIntervalMs = 100
const progressIntervalMs = 10 * 60_000
const publishRetryMs = 500
/** How long close() waits for another member to take the lead. */
const handOverMs = 2000

export interface MemberParts {
  readonly id: bigint
  readonly clusterId: bigint
  readonly name: string
  /** What clients are told; setClientUrls() replaces it. */
  readonly clientUrls: readonly string[]
  readonly peerUrls: readonly string[]
  /** Peer URLs of the cluster's first members by id, until they publish their own. */
  readonly knownPeerUrls: ReadonlyMap<string, readonly string[]>
  readonly stateMachine: KvStateMachine
  readonly consensus: Consensus<CommandResult>
  readonly backend: Backend
  readonly clock: MemberClock
  readonly electionTimeoutMs: number
  readonly link: LeaderLink
  readonly metrics: MemberMetrics
}

export class MemberCore implements MemberApi {
  readonly id: bigint
  readonly clusterId: bigint
  readonly leases: LeaseKeeper
  readonly #parts: MemberParts
  /** Writes on their way. */
  #pendingCount = 0
  #isBacklogged = false
  #isClosed = false
  #leader = 0n
  /** When the present leader was first heard of. */
  #leaderSinceMs = 0
  #clientUrls: readonly string[]
  #cancels: (() => void)[] = []

  constructor(parts: MemberParts) {
    const { clock, stateMachine, consensus, electionTimeoutMs, link } = parts
    this.id = parts.id
    this.clusterId = parts.clusterId
    this.#parts = parts
    this.#clientUrls = parts.clientUrls
    this.leases = new LeaseKeeper({
      lessor: () => stateMachine.lessor,
      clock,
      electionTimeoutMs,
      link,
      confirm: (done) => consensus.read(done),
      revoke: (id, done) => this.#propose('leaseRevoke', encodeLeaseRevokeRequest({ id }), done),
    })
    this.#every(superviseIntervalMs, () => this.#supervise())
    this.#every(progressIntervalMs, () => stateMachine.hub.notifyProgress())
  }

  header(): ResponseHeader {
    const { stateMachine } = this.#parts
    return stateMachine.header(stateMachine.store.revision)
  }

  range(body: Uint8Array, done: Done<RangeResponse>): void {
    const request = this.#decode(() => {
      const request = decodeRangeRequest(body)
      checkRange(request)
      return request
    }, done)
    if (request === undefined) return
    this.#parts.metrics.range()
    if (request.serializable) this.#rangeHere(request, done)
    else this.#afterRead(done, () => this.#rangeHere(request, done))
  }

  put(body: Uint8Array, done: Done<PutResponse>): void {
    const isGood = this.#decode(() => {
      checkPut(decodePutRequest(body))
      return true
    }, done)
    if (isGood) this.#propose('put', body, done)
  }

  deleteRange(body: Uint8Array, done: Done<DeleteRangeResponse>): void {
    const isGood = this.#decode(() => {
      checkDeleteRange(decodeDeleteRangeRequest(body))
      return true
    }, done)
    if (isGood) this.#propose('deleteRange', body, done)
  }

  txn(body: Uint8Array, done: Done<TxnResponse>): void {
    const request = this.#decode(() => {
      const request = decodeTxnRequest(body)
      checkTxn(request)
      return request
    }, done)
    if (request === undefined) return
    if (!isReadOnlyTxn(request)) this.#propose('txn', body, done)
    else if (isSerializableTxn(request)) this.#txnHere(request, done)
    else this.#afterRead(done, () => this.#txnHere(request, done))
  }

  compact(body: Uint8Array, done: Done<HeaderOnlyResponse>): void {
    const request = this.#decode(() => decodeCompactionRequest(body), done)
    if (request === undefined) return
    const { stateMachine } = this.#parts
    this.#propose('compact', body, (error, result) => {
      if (error !== undefined || !request.physical) done(error, result)
      else stateMachine.housekeeping.compact(stateMachine.store, () => done(undefined, result))
    })
  }

  leaseGrant(body: Uint8Array, done: Done<LeaseGrantResponse>): void {
    const request = this.#decode(() => decodeLeaseGrantRequest(body), done)
    if (request === undefined) return
    if (request.id !== 0n) this.#propose('leaseGrant', body, done)
    else {
      const chosen = encodeLeaseGrantRequest({ ...request, id: randomLeaseId() })
      this.#propose('leaseGrant', chosen, done)
    }
  }

  leaseRevoke(body: Uint8Array, done: Done<HeaderOnlyResponse>): void {
    this.#propose('leaseRevoke', body, done)
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

  openWatchStream(sink: WatchSink): WatchStream {
    const { stateMachine, metrics } = this.#parts
    metrics.watchStreams(1)
    return new HubWatchStream(stateMachine.hub, sink, {
      header: (revision) => stateMachine.header(revision),
      onClose: () => metrics.watchStreams(-1),
    })
  }

  memberList(linearizable: boolean, done: Done<MemberListResponse>): void {
    if (!linearizable) done(undefined, this.#members())
    else this.#afterRead(done, () => done(undefined, this.#members()))
  }

  status(): StatusResponse {
    const { consensus, stateMachine, backend } = this.#parts
    const raft = consensus.status()
    const leader = raft.leader === undefined ? 0n : parseIdText(raft.leader)
    const size = backend.size()
    return {
      header: this.header(),
      version: etcdVersion,
      dbSize: size.total,
      leader,
      raftIndex: raft.commitIndex,
      raftTerm: raft.term,
      raftAppliedIndex: stateMachine.applied.index,
      errors: leader === 0n ? ['etcdserver: no leader'] : [],
      dbSizeInUse: size.used,
      isLearner: raft.membership.learners.includes(raft.id),
      storageVersion: '',
      dbSizeQuota: 0,
    }
  }

  hashKv(revision: number, done: Done<HashKvResponse>): void {
    const { stateMachine } = this.#parts
    const { store, housekeeping } = stateMachine
    const at = this.#decode(() => {
      store.checkRevision(revision)
      return revision > 0 ? revision : store.revision
    }, done)
    if (at === undefined) return
    const { compactRevision } = store
    const hashed = housekeeping.hashKv(store, at)
    answer(done, hashed, (hash) => {
      return { header: this.header(), hash, compactRevision, hashRevision: at }
    })
  }

  alarms(done: Done<AlarmResponse>): void {
    done(undefined, { header: this.header(), alarms: [] })
  }

  defragment(done: Done<undefined>): void {
    answer(done, this.#parts.backend.defragment(), () => undefined)
  }

  leader(): bigint {
    return this.#leader
  }

  metrics(): Promise<string> {
    return this.#parts.metrics.text()
  }

  /** raft says who leads. */
  leaderChanged(leader: string | undefined, term: number): void {
    const id = leader === undefined ? 0n : parseIdText(leader)
    if (id !== 0n && id !== this.#leader) this.#leaderSinceMs = this.#parts.clock.now()
    if (id !== this.#leader) this.#parts.metrics.leaderChanged()
    this.#leader = id
    this.leases.leaderChanged(id === this.id, term)
  }

  /** Before publish(): the URLs with the ports that were really taken. */
  setClientUrls(urls: readonly string[]): void {
    this.#clientUrls = urls
  }

  /** Undefined: no leader is known. */
  leaderPeerUrl(): string | undefined {
    if (this.#leader === 0n) return undefined
    const id = idText(this.#leader)
    const { stateMachine, knownPeerUrls } = this.#parts
    return (stateMachine.members.get(id)?.peerUrls ?? knownPeerUrls.get(id))?.[0]
  }

  /** Tells the cluster this member's name and URLs; resolves when that is applied, tries until then or until close(). */
  async publish(): Promise<void> {
    const { name, peerUrls, clock, stateMachine } = this.#parts
    const clientUrls = this.#clientUrls
    const attributes: MemberAttributes = { id: idText(this.id), name, clientUrls, peerUrls }
    const body = encodeAttributes(attributes)
    const known = stateMachine.members.get(attributes.id)
    const isKnown = known !== undefined && Buffer.compare(encodeAttributes(known), body) === 0
    while (!this.#isClosed) {
      const error = await new Promise<KvError | undefined>((resolve) => {
        // A member whose words stand already only waits until it is part of a working cluster.
        if (isKnown) this.#afterRead(resolve, () => resolve(undefined))
        else this.#propose('publish', body, resolve)
      })
      if (error === undefined) return
      await new Promise<void>((resolve) => void clock.setTimer(publishRetryMs, resolve))
    }
  }

  /** Hands the lead over if there is someone to take it, answers what waits, and stops. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { consensus, stateMachine, backend } = this.#parts
    await this.#handOver()
    for (const cancel of this.#cancels) cancel()
    this.leases.stop()
    stateMachine.housekeeping.stop()
    await consensus.close()
    await backend.close()
  }

  async #handOver(): Promise<void> {
    const { consensus, clock } = this.#parts
    const { role, id, membership, progress } = consensus.status()
    if (role !== 'leader') return
    const ready = progress.filter((peer) => peer.id !== id && peer.recentActive)
    const voters = ready.filter((peer) => membership.voters.includes(peer.id))
    const best = voters.sort((a, b) => b.matchIndex - a.matchIndex)[0]
    if (best === undefined) return
    const timeout = new Promise<void>((resolve) => void clock.setTimer(handOverMs, resolve))
    // If nobody takes the lead the others elect one when they miss this member.
    await Promise.race([timeout, consensus.transferLeadership(best.id).catch(() => undefined)])
  }

  /** Runs a check; refuses the request with what it throws. */
  #decode<T>(check: () => T, done: Done<never>): T | undefined {
    try {
      if (this.#isClosed) throw new KvError('STOPPED')
      return check()
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return undefined
    }
  }

  #propose<Name extends CommandName>(
    name: Name,
    body: Uint8Array,
    done: Done<CommandResponses[Name]>,
  ): void {
    const refusal = this.#refusal(body)
    if (refusal !== undefined) {
      this.#parts.metrics.proposalFailed()
      done(refusal, undefined)
      return
    }
    this.#pendingCount++
    this.#parts.consensus.propose(encodeCommand(name, body), (error, result) => {
      this.#pendingCount--
      if (error !== undefined) {
        this.#parts.metrics.proposalFailed()
        done(this.#failure(error), undefined)
      } else if (result instanceof KvError) done(result, undefined)
      else {
        this.#parts.metrics.applied(name)
        // The state machine answers each command with its own kind of response.
        done(undefined, result as CommandResponses[Name])
      }
    })
  }

  #refusal(body: Uint8Array): KvError | undefined {
    if (this.#isClosed) return new KvError('STOPPED')
    if (body.length >= requestSizeBytesMax) return new KvError('REQUEST_TOO_LARGE')
    const isFull = this.#parts.backend.pendingSizeBytes > stagedSizeBytesMax
    return isFull || this.#isBacklogged ? new KvError('TOO_MANY_REQUESTS') : undefined
  }

  /** Goes on when this member has everything that was committed up to now. */
  #afterRead(done: Done<never>, next: () => void): void {
    this.#parts.consensus.read((error) => {
      if (error === undefined) next()
      else done(this.#failure(error), undefined)
    })
  }

  #rangeHere(request: RangeRequest, done: Done<RangeResponse>): void {
    const { stateMachine } = this.#parts
    const result = this.#decode(() => range(stateMachine.store, request), done)
    if (result === undefined) return
    const { kvs, more, count, revision } = result
    done(undefined, { header: stateMachine.header(revision), kvs, more, count })
  }

  #txnHere(request: TxnRequest, done: Done<TxnResponse>): void {
    const { store, lessor } = this.#parts.stateMachine
    const response = this.#decode(() => applyTxn(store, lessor, request), done)
    if (response !== undefined) done(undefined, { ...response, header: this.header() })
  }

  #members(): MemberListResponse {
    const { stateMachine, knownPeerUrls } = this.#parts
    const { voters, votersOutgoing, learners } = stateMachine.membership
    const ids = new Set([...voters, ...votersOutgoing, ...learners])
    const members = [...ids].sort().map((id) => {
      const published = stateMachine.members.get(id)
      return {
        id: parseIdText(id),
        name: published?.name ?? '',
        peerUrls: published?.peerUrls ?? knownPeerUrls.get(id) ?? [],
        clientUrls: published?.clientUrls ?? [],
        isLearner: learners.includes(id),
      }
    })
    return { header: { ...this.header(), revision: 0 }, members }
  }

  #every(ms: number, run: () => void): void {
    const { clock } = this.#parts
    const slot = this.#cancels.length
    const schedule = (): void => {
      this.#cancels[slot] = clock.setTimer(ms, () => {
        run()
        if (!this.#isClosed) schedule()
      })
    }
    schedule()
  }

  #supervise(): void {
    const { commitIndex } = this.#parts.consensus.status()
    this.#isBacklogged = commitIndex - this.#parts.stateMachine.applied.index > applyBacklogMax
    this.#parts.metrics.pendingProposals(this.#pendingCount)
  }

  #failure(reason: Error): KvError {
    const error = kvErrorFromRaft(reason)
    return error.code === 'TIMEOUT' ? this.#timeoutError(reason) : error
  }

  /** etcd's guess at why no answer came. */
  #timeoutError(cause: Error): KvError {
    const { consensus, clock, electionTimeoutMs } = this.#parts
    const startMs = clock.now() - requestTimeoutMs(electionTimeoutMs)
    const lostMs = this.#leaderSinceMs - 2 * electionTimeoutMs
    if (startMs > lostMs && startMs < this.#leaderSinceMs) {
      return new KvError('TIMEOUT_LEADER_FAILED', { cause })
    }
    const { role, id, membership, progress } = consensus.status()
    if (role !== 'leader') return new KvError('TIMEOUT', { cause })
    const voters = progress.filter((peer) => peer.id !== id && membership.voters.includes(peer.id))
    const reachable = voters.filter((peer) => peer.recentActive).length + 1
    const isQuorum = reachable * 2 > membership.voters.length
    return new KvError(isQuorum ? 'TIMEOUT' : 'TIMEOUT_CONNECTION_LOST', { cause })
  }
}

/** How long raft lets a request wait: etcd's rule. */
function requestTimeoutMs(electionTimeoutMs: number): number {
  return 5000 + 2 * electionTimeoutMs
}

/** Where the few slow calls meet the callbacks. */
function answer<T, R>(done: Done<R>, work: Promise<T>, makeResult: (value: T) => R): void {
  const run = async (): Promise<void> => {
    let result: R
    try {
      result = makeResult(await work)
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return
    }
    done(undefined, result)
  }
  void run()
}

function randomLeaseId(): bigint {
  const id = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE(0))
  return id === 0n ? 1n : id
}
