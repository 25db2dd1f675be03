// etcd's messages as TypeScript sees them (etcdserverpb, mvccpb). Revisions, counts and TTLs are numbers (safe to 2^53); ids of
// leases, members and clusters are bigints, because clients choose all 64 bits. Stored pairs and events stay encoded.

/** Protobuf bytes of mvccpb.KeyValue, as stored; never changed after they are made. */
export type EncodedKeyValue = Uint8Array
/** Protobuf bytes of mvccpb.Event; one buffer shared by all watchers that see it in the same form. */
export type EncodedEvent = Uint8Array

export interface ResponseHeader {
  readonly clusterId: bigint
  readonly memberId: bigint
  readonly revision: number
  readonly raftTerm: number
}

export interface KeyValue {
  readonly key: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly value: Uint8Array
  /** 0n: none. */
  readonly lease: bigint
}

export const sortOrder = { none: 0, ascend: 1, descend: 2 } as const
export const sortTarget = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const

/** Absent numbers are 0, absent bytes empty: proto3. A `rangeEnd` of one zero byte means "all keys >= key". */
export interface RangeRequest {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
  readonly limit: number
  readonly revision: number
  readonly sortOrder: number
  readonly sortTarget: number
  readonly serializable: boolean
  readonly keysOnly: boolean
  readonly countOnly: boolean
  readonly minModRevision: number
  readonly maxModRevision: number
  readonly minCreateRevision: number
  readonly maxCreateRevision: number
  /** Answered from the member asked if its state is no older; ours, etcd ignores it. Left out: 0, no bound is given. */
  readonly maxStalenessMs?: number
}
export interface RangeResponse {
  readonly header: ResponseHeader
  readonly kvs: readonly EncodedKeyValue[]
  readonly more: boolean
  readonly count: number
}

export interface PutRequest {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly lease: bigint
  readonly prevKv: boolean
  readonly ignoreValue: boolean
  readonly ignoreLease: boolean
  /** Above zero: `lease` is granted for so long in the same step, if it is not there. Servers of etcd do not know it. */
  readonly ttlSeconds?: number
}
export interface PutResponse {
  readonly header: ResponseHeader
  readonly prevKv: EncodedKeyValue | undefined
}

export interface DeleteRangeRequest {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
  readonly prevKv: boolean
}
export interface DeleteRangeResponse {
  readonly header: ResponseHeader
  readonly deleted: number
  readonly prevKvs: readonly EncodedKeyValue[]
}

export const compareResult = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const
export const compareTarget = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const
export interface Compare {
  readonly result: number
  readonly target: number
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
  /** The operand of targets version, create and mod. */
  readonly number: number
  readonly value: Uint8Array
  readonly lease: bigint
}
/** `undefined`: an op without a request, refused with KEY_NOT_FOUND as etcd does. */
export type RequestOp =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | undefined
export interface TxnRequest {
  readonly compare: readonly Compare[]
  readonly success: readonly RequestOp[]
  readonly failure: readonly RequestOp[]
}
/** Inner headers carry the revision only. */
export type ResponseOp =
  | { readonly type: 'range'; readonly response: RangeResponse }
  | { readonly type: 'put'; readonly response: PutResponse }
  | { readonly type: 'deleteRange'; readonly response: DeleteRangeResponse }
  | { readonly type: 'txn'; readonly response: TxnResponse }
export interface TxnResponse {
  readonly header: ResponseHeader
  readonly succeeded: boolean
  readonly responses: readonly ResponseOp[]
}

export interface CompactionRequest {
  readonly revision: number
  readonly physical: boolean
}
export interface HeaderOnlyResponse {
  readonly header: ResponseHeader
}
export interface HashResponse {
  readonly header: ResponseHeader
  readonly hash: number
}
export interface HashKvResponse {
  readonly header: ResponseHeader
  readonly hash: number
  readonly compactRevision: number
  readonly hashRevision: number
}

export interface LeaseGrantRequest {
  readonly ttl: number
  readonly id: bigint
}
export interface LeaseGrantResponse {
  readonly header: ResponseHeader
  readonly id: bigint
  readonly ttl: number
}
export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader
  readonly id: bigint
  /** 0: the lease is unknown or gone; not an error. */
  readonly ttl: number
}
export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader
  readonly id: bigint
  /** -1: unknown. */
  readonly ttl: number
  readonly grantedTtl: number
  readonly keys: readonly Uint8Array[]
}
export interface LeaseLeasesResponse {
  readonly header: ResponseHeader
  readonly leases: readonly bigint[]
}

export const watchFilter = { noPut: 0, noDelete: 1 } as const
export interface WatchCreateRequest {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
  /** First revision wanted; 0: from now on. */
  readonly startRevision: number
  readonly progressNotify: boolean
  readonly filters: readonly number[]
  readonly prevKv: boolean
  /** 0: the server chooses. */
  readonly watchId: number
  readonly fragment: boolean
}
export interface WatchResponse {
  readonly header: ResponseHeader
  readonly watchId: number
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: number
  readonly cancelReason: string
  readonly fragment: boolean
  readonly events: readonly EncodedEvent[]
}

export interface MemberRecord {
  readonly id: bigint
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  readonly isLearner: boolean
}
export interface MemberListResponse {
  readonly header: ResponseHeader
  readonly members: readonly MemberRecord[]
}
export interface MemberAddResponse {
  readonly header: ResponseHeader
  readonly member: MemberRecord
  readonly members: readonly MemberRecord[]
}
/** `version` is the cluster's. */
export interface DowngradeResponse {
  readonly header: ResponseHeader
  readonly version: string
}
export interface StatusResponse {
  readonly header: ResponseHeader
  readonly version: string
  readonly dbSize: number
  readonly leader: bigint
  readonly raftIndex: number
  readonly raftTerm: number
  readonly raftAppliedIndex: number
  readonly errors: readonly string[]
  readonly dbSizeInUse: number
  readonly isLearner: boolean
  readonly storageVersion: string
  readonly dbSizeQuota: number
  /** While one is under way. */
  readonly downgradeInfo?: { readonly enabled: boolean; readonly targetVersion: string } | undefined
}
export const alarmType = { none: 0, noSpace: 1, corrupt: 2 } as const
export const alarmNames: readonly string[] = ['NONE', 'NOSPACE', 'CORRUPT']
export const alarmAction = { get: 0, activate: 1, deactivate: 2 } as const
export interface AlarmMember {
  readonly memberId: bigint
  readonly alarm: number
}
export interface AlarmResponse {
  /** etcd 3.4 sends none. */
  readonly header: ResponseHeader | undefined
  readonly alarms: readonly AlarmMember[]
}
