// What every wire (gRPC, JSON gateway, native) and the embedded Kv call: one member of the cluster. Callbacks instead of promises,
// because a promise per request is a large part of the cost of a small request.
import type { KvError } from '../errors.ts'
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
import type { WatchSink, WatchStream } from '../watch/types.ts'
import type { AuthApi, Credentials } from './auth/auth-api.ts'
import type { MaintenanceApi } from './maintenance.ts'
import type { ClusterApi } from './cluster-api.ts'
import type { QuotaApi } from './quota-keeper.ts'

export type { WatchSink, WatchStream } from '../watch/types.ts'
export type { AuthApi, Credentials } from './auth/auth-api.ts'

/** Called exactly once, with an error or a result. */
export type Done<T> = (error: KvError | undefined, result: T | undefined) => void

/**
 * Requests come as the protobuf bytes of etcd's message (`body`): they are checked, then the same bytes become the raft command,
 * the WAL record and the peers' message. The caller must not change them afterwards.
 */
export interface MemberApi {
  readonly maintenance: MaintenanceApi
  readonly cluster: ClusterApi
  /** What prefixes and users may have. */
  readonly quotas: QuotaApi
  /** The header for a reply made now; `revision` is the store's current one. */
  header(): ResponseHeader
  range(body: Uint8Array, done: Done<RangeResponse>): void
  put(body: Uint8Array, done: Done<PutResponse>): void
  deleteRange(body: Uint8Array, done: Done<DeleteRangeResponse>): void
  txn(body: Uint8Array, done: Done<TxnResponse>): void
  compact(body: Uint8Array, done: Done<HeaderOnlyResponse>): void
  leaseGrant(body: Uint8Array, done: Done<LeaseGrantResponse>): void
  leaseRevoke(body: Uint8Array, done: Done<HeaderOnlyResponse>): void
  /** Renewed by the leader; a follower forwards. */
  leaseKeepAlive(id: bigint, done: Done<LeaseKeepAliveResponse>): void
  leaseTimeToLive(id: bigint, keys: boolean, done: Done<LeaseTimeToLiveResponse>): void
  leaseLeases(done: Done<LeaseLeasesResponse>): void
  openWatchStream(sink: WatchSink): WatchStream
  memberList(linearizable: boolean, done: Done<MemberListResponse>): void
  /** This member's own view; works without a quorum. */
  status(): StatusResponse
  /** `revision` 0: the current one. Equal on members with equal history, and equal to real etcd's. */
  hashKv(revision: number, done: Done<HashKvResponse>): void
  alarms(done: Done<AlarmResponse>): void
  defragment(done: Done<undefined>): void
  /** The leader this member knows, by member id; 0n for none. */
  leader(): bigint
  /** Prometheus text of everything this member measures, etcd's names. */
  metrics(): Promise<string>
  readonly auth: AuthApi
  /** The same member as one caller may use it; `as({})`: as a stranger may. */
  as(credentials: Credentials): MemberApi
}
