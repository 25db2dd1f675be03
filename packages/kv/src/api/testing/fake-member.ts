// A member of one, in memory, just true enough to carry the wires' tests: no history, no compaction, nothing durable.
import { KvError } from '../../errors.ts'
import type { Credentials, Done, MemberApi, WatchSink, WatchStream } from '../../member/types.ts'
import type { MaintenanceApi } from '../../member/maintenance.ts'
import {
  decodeAlarmRequest,
  decodeDeleteRangeRequest,
  decodeLeaseGrantRequest,
  decodeLeaseRevokeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
  encodeEvent,
  encodeKeyValue,
  eventType,
  withoutValue,
} from '../../proto/index.ts'
import { alarmAction } from '../../proto/messages.ts'
import type {
  EncodedKeyValue,
  PutRequest,
  RangeRequest,
  ResponseHeader,
  TxnRequest,
  WatchCreateRequest,
  WatchResponse,
} from '../../proto/messages.ts'
import { FakeCluster } from './fake-cluster.ts'

interface Stored {
  readonly key: Uint8Array
  readonly createRevision: number
  readonly version: number
  readonly bytes: EncodedKeyValue
}
interface Watcher {
  readonly sink: WatchSink
  readonly request: WatchCreateRequest
  readonly watchId: number
}

export class FakeMember implements MemberApi {
  readonly cluster = new FakeCluster(() => {
    const peerUrls = ['http://127.0.0.1:2380']
    const clientUrls = ['http://127.0.0.1:2379']
    return [{ id: 7n, name: 'fake', peerUrls, clientUrls, isLearner: false }]
  })
  readonly #pairs = new Map<string, Stored>()
  readonly #leases = new Map<bigint, number>()
  readonly #watchers = new Set<Watcher>()
  #revision = 1
  #nextLease = 100n
  leaderId = 7n
  lastRange: RangeRequest | undefined
  /** Set to keep calls waiting. */
  hold: ((run: () => void) => void) | undefined
  /** Watch streams that were opened and not closed. */
  openStreams = 0
  resumed = 0
  raised: { memberId: bigint; alarm: number }[] = []
  readonly auth: MemberApi['auth'] = {
    call: (_name, _body, done) => done(new KvError('UNIMPLEMENTED'), undefined),
  }
  readonly quotas: MemberApi['quotas'] = {
    set: (_body, done) => done(new KvError('UNIMPLEMENTED'), undefined),
    remove: (_body, done) => done(new KvError('UNIMPLEMENTED'), undefined),
    list: (done) => this.#answer(done, () => ({ header: this.header(), quotas: [] })),
  }
  /** Of every view that was asked for. */
  readonly credentials: Credentials[] = []
  readonly maintenance: MaintenanceApi = {
    alarm: (body, done) => {
      const { action, memberId, alarm } = decodeAlarmRequest(body)
      if (action === alarmAction.activate) this.raised.push({ memberId, alarm })
      this.#answer(done, () => ({ header: undefined, alarms: this.raised }))
    },
    alarms: () => this.raised,
    snapshot: () => {
      throw new KvError('UNIMPLEMENTED')
    },
    hash: (done) => this.#answer(done, () => ({ header: this.header(), hash: 3_000_000_000 })),
  }

  header(): ResponseHeader {
    return { clusterId: 5n, memberId: 7n, revision: this.#revision, raftTerm: 2 }
  }

  range(body: Uint8Array, done: Parameters<MemberApi['range']>[1]): void {
    this.lastRange = decodeRangeRequest(body)
    const request = this.lastRange
    this.#answer(done, () => this.#range(request))
  }

  put(body: Uint8Array, done: Parameters<MemberApi['put']>[1]): void {
    this.#answer(done, () => this.#put(decodePutRequest(body)))
  }

  deleteRange(body: Uint8Array, done: Parameters<MemberApi['deleteRange']>[1]): void {
    this.#answer(done, () => {
      const { key, rangeEnd } = decodeDeleteRangeRequest(body)
      const gone = this.#select(key, rangeEnd)
      if (gone.length > 0) this.#revision++
      for (const stored of gone) {
        this.#pairs.delete(nameOf(stored.key))
        this.#emit(stored.key, eventType.delete, tombstone(stored.key, this.#revision))
      }
      return { header: this.header(), deleted: gone.length, prevKvs: [] }
    })
  }

  txn(body: Uint8Array, done: Parameters<MemberApi['txn']>[1]): void {
    this.#answer(done, () => {
      const request: TxnRequest = decodeTxnRequest(body)
      const succeeded = request.compare.every(
        (compare) => (this.#pairs.get(nameOf(compare.key))?.version ?? 0) === compare.number,
      )
      const ops = succeeded ? request.success : request.failure
      const responses = ops.map((op) => {
        if (op?.type === 'put') {
          return { type: 'put' as const, response: this.#put(op.request) }
        }
        if (op?.type !== 'range') throw new KvError('KEY_NOT_FOUND')
        return { type: 'range' as const, response: this.#range(op.request) }
      })
      return { header: this.header(), succeeded, responses }
    })
  }

  compact(_body: Uint8Array, done: Parameters<MemberApi['compact']>[1]): void {
    this.#answer(done, () => ({ header: this.header() }))
  }

  leaseGrant(body: Uint8Array, done: Parameters<MemberApi['leaseGrant']>[1]): void {
    this.#answer(done, () => {
      const { id: wanted, ttl } = decodeLeaseGrantRequest(body)
      const id = wanted === 0n ? this.#nextLease++ : wanted
      if (this.#leases.has(id)) throw new KvError('LEASE_EXISTS')
      this.#leases.set(id, ttl)
      return { header: this.header(), id, ttl }
    })
  }

  leaseRevoke(body: Uint8Array, done: Parameters<MemberApi['leaseRevoke']>[1]): void {
    this.#answer(done, () => {
      if (!this.#leases.delete(decodeLeaseRevokeRequest(body).id)) {
        throw new KvError('LEASE_NOT_FOUND')
      }
      return { header: this.header() }
    })
  }

  leaseKeepAlive(id: bigint, done: Parameters<MemberApi['leaseKeepAlive']>[1]): void {
    const ttl = this.#leases.get(id) ?? 0
    setImmediate(() => this.#answer(done, () => ({ header: this.header(), id, ttl })))
  }

  leaseTimeToLive(
    id: bigint,
    _keys: boolean,
    done: Parameters<MemberApi['leaseTimeToLive']>[2],
  ): void {
    const ttl = this.#leases.get(id) ?? -1
    const grantedTtl = Math.max(ttl, 0)
    this.#answer(done, () => ({ header: this.header(), id, ttl, grantedTtl, keys: [] }))
  }

  leaseLeases(done: Parameters<MemberApi['leaseLeases']>[0]): void {
    this.#answer(done, () => ({ header: this.header(), leases: [...this.#leases.keys()] }))
  }

  openWatchStream(sink: WatchSink): WatchStream {
    this.openStreams++
    const mine = new Map<number, Watcher>()
    let nextId = 0
    return {
      create: (request) => {
        const watchId = request.watchId || nextId++
        const watcher = { sink, request, watchId }
        sink.send(this.#watchResponse(watchId, { created: true }))
        mine.set(watchId, watcher)
        this.#watchers.add(watcher)
      },
      cancel: (watchId) => {
        const watcher = mine.get(watchId)
        if (watcher === undefined) return
        mine.delete(watchId)
        this.#watchers.delete(watcher)
        sink.send(this.#watchResponse(watchId, { canceled: true }))
      },
      requestProgress: () => sink.send(this.#watchResponse(-1, {})),
      resume: () => {
        this.resumed++
      },
      close: () => {
        this.openStreams--
        for (const watcher of mine.values()) this.#watchers.delete(watcher)
      },
    }
  }

  memberList(_linearizable: boolean, done: Parameters<MemberApi['memberList']>[1]): void {
    const members = this.cluster.members()
    this.#answer(done, () => ({ header: { ...this.header(), revision: 0 }, members }))
  }

  status(): ReturnType<MemberApi['status']> {
    return {
      header: this.header(),
      version: '3.6.1',
      dbSize: 4096,
      leader: this.leaderId,
      raftIndex: 11,
      raftTerm: 2,
      raftAppliedIndex: 11,
      errors: [],
      dbSizeInUse: 2048,
      isLearner: false,
      storageVersion: '3.6.0',
      dbSizeQuota: 0,
    }
  }

  hashKv(revision: number, done: Parameters<MemberApi['hashKv']>[1]): void {
    const hashRevision = revision || this.#revision
    this.#answer(done, () => ({
      header: this.header(),
      hash: 4_000_000_000,
      compactRevision: -1,
      hashRevision,
    }))
  }

  alarms(done: Parameters<MemberApi['alarms']>[0]): void {
    this.#answer(done, () => ({ header: this.header(), alarms: this.raised }))
  }

  defragment(done: Done<undefined>): void {
    done(undefined, undefined)
  }

  as(credentials: Credentials): MemberApi {
    this.credentials.push(credentials)
    return this
  }

  leader(): bigint {
    return this.leaderId
  }

  metrics(): Promise<string> {
    return Promise.resolve('# TYPE etcd_server_has_leader gauge\netcd_server_has_leader 1\n')
  }

  #range(request: RangeRequest): Parameters<Parameters<MemberApi['range']>[1]>[1] & object {
    if (request.key.length === 0) throw new KvError('EMPTY_KEY')
    if (request.revision > this.#revision) throw new KvError('FUTURE_REVISION')
    const found = this.#select(request.key, request.rangeEnd)
    const limited = request.limit > 0 ? found.slice(0, request.limit) : found
    const kvs = limited.map(({ bytes }) => (request.keysOnly ? withoutValue(bytes) : bytes))
    return {
      header: this.header(),
      kvs: request.countOnly ? [] : kvs,
      more: limited.length < found.length,
      count: found.length,
    }
  }

  #put(request: PutRequest): { header: ResponseHeader; prevKv: EncodedKeyValue | undefined } {
    if (request.key.length === 0) throw new KvError('EMPTY_KEY')
    const name = nameOf(request.key)
    const before = this.#pairs.get(name)
    const modRevision = ++this.#revision
    const createRevision = before?.createRevision ?? modRevision
    const version = (before?.version ?? 0) + 1
    const { key, value, lease } = request
    const bytes = encodeKeyValue({ key, createRevision, modRevision, version, value, lease })
    this.#pairs.set(name, { key, createRevision, version, bytes })
    this.#emit(key, eventType.put, bytes)
    return { header: this.header(), prevKv: request.prevKv ? before?.bytes : undefined }
  }

  #select(key: Uint8Array, rangeEnd: Uint8Array): Stored[] {
    const from = nameOf(key)
    if (rangeEnd.length === 0) {
      const stored = this.#pairs.get(from)
      return stored === undefined ? [] : [stored]
    }
    return [...this.#pairs.entries()]
      .filter(([name]) => isInRange(name, from, nameOf(rangeEnd)))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, stored]) => stored)
  }

  #emit(key: Uint8Array, type: number, kv: EncodedKeyValue): void {
    const name = nameOf(key)
    for (const { sink, request, watchId } of this.#watchers) {
      const from = nameOf(request.key)
      const isWatched =
        request.rangeEnd.length === 0
          ? name === from
          : isInRange(name, from, nameOf(request.rangeEnd))
      if (!isWatched) continue
      const response = this.#watchResponse(watchId, {})
      sink.send({ ...response, events: [encodeEvent(type, kv, undefined)] })
    }
  }

  #watchResponse(watchId: number, part: { created?: boolean; canceled?: boolean }): WatchResponse {
    return {
      header: this.header(),
      watchId,
      created: part.created ?? false,
      canceled: part.canceled ?? false,
      compactRevision: 0,
      cancelReason: '',
      fragment: false,
      events: [],
    }
  }

  #answer<T>(done: Done<T>, make: () => T): void {
    const run = (): void => {
      let result: T
      try {
        result = make()
      } catch (reason) {
        done(KvError.from(reason), undefined)
        return
      }
      done(undefined, result)
    }
    if (this.hold === undefined) run()
    else this.hold(run)
  }
}

function isInRange(name: string, from: string, end: string): boolean {
  return name >= from && (end === '\0' || name < end)
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}

function tombstone(key: Uint8Array, modRevision: number): EncodedKeyValue {
  const value = new Uint8Array(0)
  return encodeKeyValue({ key, createRevision: 0, modRevision, version: 0, value, lease: 0n })
}
