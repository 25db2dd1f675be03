// A member as one caller may use it. Writes take their caller along into the log and are judged where they are applied; reads are judged
// when they are answered; what only an administrator may do is judged here.
import { stranger, type Caller } from '../../auth/caller.ts'
import type { Permits } from '../../auth/permits.ts'
import { KvError } from '../../errors.ts'
import type { SnapshotImage } from '../../etcd-file/snapshot-image.ts'
import { decodeAlarmRequest } from '../../proto/index.ts'
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
} from '../../proto/messages.ts'
import type { ClusterApi } from '../cluster-api.ts'
import type { MaintenanceApi } from '../maintenance.ts'
import type { MemberCore } from '../member.ts'
import type { QuotaApi } from '../quota-keeper.ts'
import { checkDeleteRangeBody, goodPut, goodRange, goodTxn } from '../good-request.ts'
import type { Done, MemberApi, WatchSink, WatchStream } from '../types.ts'
import type { AuthApi, Credentials } from './auth-api.ts'
import { GuardedCluster } from './guarded-cluster.ts'
import { GuardedWatchStream } from './guarded-watch-stream.ts'

const alarmActionGet = 0
const noBytes = new Uint8Array(0)

export class MemberView implements MemberApi {
  readonly #core: MemberCore
  readonly #credentials: Credentials
  /** Made when they are first asked for: most views serve one request. */
  #auth: AuthApi | undefined
  #maintenance: MaintenanceApi | undefined
  #cluster: ClusterApi | undefined
  #quotas: QuotaApi | undefined

  constructor(core: MemberCore, credentials: Credentials) {
    this.#core = core
    this.#credentials = credentials
  }

  as(credentials: Credentials): MemberApi {
    return this.#core.as(credentials)
  }

  get auth(): AuthApi {
    this.#auth ??= {
      call: (name, body, done) => {
        const run = (caller: Caller): void => this.#core.auth.call(name, body, done, caller)
        // Whoever asks for a token may show an old one.
        if (name === 'authenticate') run(stranger)
        else this.#asCaller(done, run)
      },
    }
    return this.#auth
  }

  get maintenance(): MaintenanceApi {
    const { maintenance } = this.#core
    this.#maintenance ??= {
      alarm: (body, done) => this.#alarm(body, done),
      alarms: () => maintenance.alarms(),
      hash: (done) => this.#asAdmin(done, () => maintenance.hash(done)),
      snapshot: () => this.#snapshot(),
    }
    return this.#maintenance
  }

  get cluster(): ClusterApi {
    this.#cluster ??= new GuardedCluster(this.#core.cluster, (done, run) => {
      this.#asAdmin(done, run)
    })
    return this.#cluster
  }

  get quotas(): QuotaApi {
    const { quotas } = this.#core
    this.#quotas ??= {
      set: (body, done) => this.#asCaller(done, (caller) => quotas.set(body, done, caller)),
      remove: (body, done) => this.#asCaller(done, (caller) => quotas.remove(body, done, caller)),
      list: (done) => this.#asAdmin(done, () => quotas.list(done)),
    }
    return this.#quotas
  }

  header(): ResponseHeader {
    return this.#core.header()
  }

  range(body: Uint8Array, done: Done<RangeResponse>): void {
    this.#asCaller(done, (caller) => this.#core.range(body, done, caller), goodRange, body)
  }

  put(body: Uint8Array, done: Done<PutResponse>): void {
    this.#asCaller(done, (caller) => this.#core.put(body, done, caller), goodPut, body)
  }

  deleteRange(body: Uint8Array, done: Done<DeleteRangeResponse>): void {
    const run = (caller: Caller): void => this.#core.deleteRange(body, done, caller)
    this.#asCaller(done, run, checkDeleteRangeBody, body)
  }

  txn(body: Uint8Array, done: Done<TxnResponse>): void {
    const check = (): unknown => goodTxn(body, this.#core.txnOpsMax)
    this.#asCaller(done, (caller) => this.#core.txn(body, done, caller), check, body)
  }

  compact(body: Uint8Array, done: Done<HeaderOnlyResponse>): void {
    this.#asCaller(done, (caller) => this.#core.compact(body, done, caller))
  }

  leaseGrant(body: Uint8Array, done: Done<LeaseGrantResponse>): void {
    this.#asCaller(done, (caller) => this.#core.leaseGrant(body, done, caller))
  }

  leaseRevoke(body: Uint8Array, done: Done<HeaderOnlyResponse>): void {
    this.#asCaller(done, (caller) => this.#core.leaseRevoke(body, done, caller))
  }

  /** Open to all, as in etcd: who knows a lease's id has been told it. */
  leaseKeepAlive(id: bigint, done: Done<LeaseKeepAliveResponse>): void {
    this.#core.leaseKeepAlive(id, done)
  }

  leaseTimeToLive(id: bigint, keys: boolean, done: Done<LeaseTimeToLiveResponse>): void {
    if (!keys) {
      this.#core.leaseTimeToLive(id, keys, done)
      return
    }
    this.#asCaller(done, (caller) => {
      this.#core.leaseTimeToLive(id, keys, (error, response) => {
        if (error !== undefined || response === undefined) done(error, response)
        else this.#ifGood(done, (permits) => permits.keys(caller, response.keys), response)
      })
    })
  }

  leaseLeases(done: Done<LeaseLeasesResponse>): void {
    this.#asCaller(done, (caller) => {
      this.#core.leaseLeases((error, response) => {
        if (error !== undefined || response === undefined) done(error, response)
        else this.#ifGood(done, (permits) => permits.leaseKeys(caller, response.leases), response)
      })
    })
  }

  openWatchStream(sink: WatchSink): WatchStream {
    return new GuardedWatchStream(this.#core.openWatchStream(sink), {
      permits: this.#core.permits,
      findCaller: (done) => this.#core.findCaller(this.#credentials, done),
    })
  }

  /** Open to all, as in etcd 3.4: clients look for members before they say who they are. */
  memberList(linearizable: boolean, done: Done<MemberListResponse>): void {
    this.#core.memberList(linearizable, done)
  }

  status(): StatusResponse {
    return this.#core.status()
  }

  hashKv(revision: number, done: Done<HashKvResponse>): void {
    this.#asAdmin(done, () => this.#core.hashKv(revision, done))
  }

  alarms(done: Done<AlarmResponse>): void {
    this.#core.alarms(done)
  }

  defragment(done: Done<undefined>): void {
    this.#asAdmin(done, () => this.#core.defragment(done))
  }

  leader(): bigint {
    return this.#core.leader()
  }

  metrics(): Promise<string> {
    return this.#core.metrics()
  }

  /** Whoever is known may look at alarms. */
  #alarm(body: Uint8Array, done: Done<AlarmResponse>): void {
    this.#asCaller(done, (caller) => {
      const isAllowed = this.#permit(done, (permits) => {
        if (decodeAlarmRequest(body).action === alarmActionGet) permits.anyUser(caller)
        else permits.admin(caller)
      })
      if (isAllowed) this.#core.maintenance.alarm(body, done)
    })
  }

  /** Answers at once: a token that this member has not heard of yet is refused. */
  #snapshot(): SnapshotImage {
    let refusal: KvError | undefined = new KvError('INVALID_AUTH_TOKEN')
    const allowed: Done<undefined> = (error) => {
      refusal = error
    }
    this.#asAdmin(allowed, () => allowed(undefined, undefined))
    if (refusal !== undefined) throw refusal
    return this.#core.maintenance.snapshot()
  }

  /** `check`: what is wrong with the request itself is told first, as in etcd. */
  #asCaller(
    done: Done<never>,
    run: (caller: Caller) => void,
    check?: (body: Uint8Array) => unknown,
    body: Uint8Array = noBytes,
  ): void {
    this.#core.findCaller(this.#credentials, (error, caller) => {
      if (caller !== undefined) run(caller)
      else if (this.#permit(done, () => check?.(body))) done(error, undefined)
    })
  }

  #asAdmin(done: Done<never>, run: () => void): void {
    this.#asCaller(done, (caller) => {
      if (this.#permit(done, (permits) => permits.admin(caller))) run()
    })
  }

  #ifGood<T>(done: Done<T>, check: (permits: Permits) => void, result: T): void {
    if (this.#permit(done, check)) done(undefined, result)
  }

  /** Refuses with what `check` throws; true if it did not. */
  #permit(done: Done<never>, check: (permits: Permits) => void): boolean {
    try {
      check(this.#core.permits)
      return true
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return false
    }
  }
}
