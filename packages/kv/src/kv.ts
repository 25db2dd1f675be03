// The Kv interface: what a program uses, the same for an embedded member, a Balsa cluster over the native wire and an etcd cluster over gRPC.

/** Text is taken as UTF-8. */
export type Bytes = Uint8Array | string

export interface KvPair {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: bigint
}

/** `signal` aborts the wait; a write that is under way may still be applied. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface RangeOptions extends CallOptions {
  /** Exactly one of the three forms: `key`; `key` with `rangeEnd` (half-open); `prefix` ('' for everything). */
  readonly key?: Bytes
  readonly rangeEnd?: Bytes
  readonly prefix?: Bytes
  readonly limit?: number
  readonly revision?: number
  readonly sort?: {
    readonly by: 'key' | 'version' | 'create' | 'mod' | 'value'
    readonly order: 'ascend' | 'descend'
  }
  /** Answered from the member asked, without a quorum: possibly stale. */
  readonly serializable?: boolean
  /**
   * Answered from the member asked, without a round to the leader, if it is known to have everything that was committed so long ago;
   * else as new as without it. Members that vote not (learners) answer too. Servers of etcd ignore it.
   */
  readonly maxStalenessMs?: number
  readonly keysOnly?: boolean
  readonly countOnly?: boolean
  /** Pairs outside of these bounds are left out; they still count in `count`. */
  readonly minModRevision?: number
  readonly maxModRevision?: number
  readonly minCreateRevision?: number
  readonly maxCreateRevision?: number
}
/** A range without an order, a limit and bounds of its own. */
export type StreamOptions = Pick<
  RangeOptions,
  'key' | 'rangeEnd' | 'prefix' | 'serializable' | 'keysOnly' | 'signal'
> & { readonly revision: number }
/** Who answered, and when in the life of the cluster. */
export interface KvHeader {
  readonly clusterId: bigint
  readonly memberId: bigint
  /** The store's, when the answer was made. */
  readonly revision: number
  readonly raftTerm: number
}
/** What every answer about keys has beside its own. */
export interface Answered {
  readonly header: KvHeader
}
export interface RangeResult extends Answered {
  readonly pairs: readonly KvPair[]
  /** Keys in the whole range, whatever the limit. */
  readonly count: number
  readonly more: boolean
  /** The store's revision when the answer was made. */
  readonly revision: number
}
/** Of a write. */
export interface WriteOptions extends CallOptions {
  /**
   * The program vouches that applying it twice does no harm: it is repeated also when a first try may have been applied. Without it
   * such a write rejects with CONNECTION_LOST or a timeout.
   */
  readonly repeatable?: boolean
}

export interface PutOptions extends WriteOptions {
  readonly lease?: bigint
  /**
   * The key is gone so many seconds after this put, unless it is put again (not in a txn, nor with `lease`). Raised to the cluster's minimum.
   * The key and its end come in one step: nobody sees one without the other.
   */
  readonly ttlSeconds?: number
  /** Keeps the present value, only the lease is set; `value` must be empty, and the key there. */
  readonly ignoreValue?: boolean
  /** Keeps the present lease; the key must be there. */
  readonly ignoreLease?: boolean
  readonly prevKv?: boolean
}
export interface DeleteOptions extends WriteOptions {
  readonly rangeEnd?: Bytes
  readonly prefix?: boolean
  readonly prevKv?: boolean
}

/** All conditions must hold. A missing key has version, create and mod 0. */
export type Condition =
  | {
      readonly key: Bytes
      readonly target: 'version' | 'create' | 'mod'
      readonly is: '=' | '!=' | '<' | '>'
      readonly than: number
    }
  | {
      readonly key: Bytes
      readonly target: 'value'
      readonly is: '=' | '!=' | '<' | '>'
      readonly than: Bytes
    }
  | {
      readonly key: Bytes
      readonly target: 'lease'
      readonly is: '=' | '!=' | '<' | '>'
      readonly than: bigint
    }
export type Operation =
  | ({ readonly op: 'range' } & Omit<RangeOptions, 'signal'>)
  | ({ readonly op: 'put'; readonly key: Bytes; readonly value: Bytes } & Omit<
      PutOptions,
      keyof WriteOptions | 'ttlSeconds'
    >)
  | ({ readonly op: 'delete'; readonly key: Bytes } & Omit<DeleteOptions, keyof WriteOptions>)
  /** Its conditions are of the state before the whole transaction. */
  | { readonly op: 'txn'; readonly txn: Omit<Txn, keyof WriteOptions> }
export interface Txn extends WriteOptions {
  readonly if?: readonly Condition[]
  readonly then?: readonly Operation[]
  readonly else?: readonly Operation[]
}
/** What a transaction answers has one header for all of them. */
export type OperationResult =
  | ({ readonly op: 'range' } & Omit<RangeResult, 'header'>)
  | { readonly op: 'put'; readonly prev: KvPair | undefined }
  | { readonly op: 'delete'; readonly deleted: number; readonly prev: readonly KvPair[] }
  | ({ readonly op: 'txn' } & Omit<TxnResult, 'header'>)
export interface PutResult extends Answered {
  readonly revision: number
  /** If it was asked for and the key was there. */
  readonly prev: KvPair | undefined
}
export interface DeleteResult extends Answered {
  readonly revision: number
  readonly deleted: number
  /** Empty unless asked for. */
  readonly prev: readonly KvPair[]
}
export interface TxnResult extends Answered {
  readonly succeeded: boolean
  readonly results: readonly OperationResult[]
  readonly revision: number
}

/** `signal` closes the watch. */
export interface WatchOptions extends CallOptions {
  readonly key?: Bytes
  readonly rangeEnd?: Bytes
  readonly prefix?: Bytes
  /** First revision wanted; left out: from now on. */
  readonly startRevision?: number
  readonly prevKv?: boolean
  readonly progressNotify?: boolean
  readonly filters?: readonly ('noPut' | 'noDelete')[]
}
export interface KvEvent {
  readonly type: 'put' | 'delete'
  /** For a delete: key and modRevision only. */
  readonly kv: KvPair
  readonly prev: KvPair | undefined
}
/** All events of one or more whole revisions, in order; empty events: a progress notification. */
export interface WatchBatch {
  readonly events: readonly KvEvent[]
  /** Everything up to this revision has been seen. */
  readonly revision: number
}
export interface WatchHandlers {
  /** The watch stands: every event after `revision` will come. */
  created?(revision: number): void
  batch(batch: WatchBatch): void
  /** Called once at the end: undefined after close(), KvError('COMPACTED') when history is gone, else what failed. A lost connection is not an end: the watch resumes by itself. */
  ended?(error: Error | undefined): void
}
export interface Watch extends AsyncDisposable {
  /** Idempotent; no handler is called after it, except ended(undefined). */
  close(): void
  /**
   * Asks how far the watch is: a batch without events says so, once it has seen everything up to that revision. A server of etcd
   * stays silent while any watch of this client lags behind; ask again then.
   */
  requestProgress(): void
}

export interface KvStatus {
  readonly clusterId: bigint
  readonly memberId: bigint
  readonly version: string
  readonly dbSizeBytes: number
  /** Without what compaction has freed. */
  readonly dbSizeInUseBytes: number
  readonly leader: bigint
  readonly isLearner: boolean
  readonly raftTerm: number
  readonly raftIndex: number
  readonly raftAppliedIndex: number
  readonly revision: number
  /** What is wrong: no leader, alarms. */
  readonly errors: readonly string[]
}
export interface KvMember {
  readonly id: bigint
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  readonly isLearner: boolean
}

/** Who the members are, and how that changes. Any member takes a change. */
export interface KvCluster {
  members(options?: CallOptions & { readonly serializable?: boolean }): Promise<readonly KvMember[]>
  /** Resolves to the member that may join now; as a learner it has no vote until it is promoted. */
  add(
    peerUrls: readonly string[],
    options?: CallOptions & { readonly learner?: boolean },
  ): Promise<KvMember>
  /** Resolves to those who are left. The member stops, and its id never comes back. */
  remove(id: bigint, options?: CallOptions): Promise<readonly KvMember[]>
  update(
    id: bigint,
    peerUrls: readonly string[],
    options?: CallOptions,
  ): Promise<readonly KvMember[]>
  /** Makes a voter of a learner that has caught up. */
  promote(id: bigint, options?: CallOptions): Promise<readonly KvMember[]>
  /** Resolves when the other one leads. In a member itself: if it leads. */
  moveLeader(to: bigint, options?: CallOptions): Promise<void>
}

export interface KvAlarm {
  readonly memberId: bigint
  readonly alarm: 'noSpace' | 'corrupt'
}

/** What a prefix of keys ('' for all) or a user may have; what is left out is not limited. Keys and bytes are limits of prefixes. */
export interface KvQuota {
  readonly prefix?: Bytes
  readonly user?: string
  /** Live keys. */
  readonly keysMax?: number
  /** Of their keys and values. */
  readonly sizeBytesMax?: number
  /** Put, delete and transaction each count as one; of the whole cluster. */
  readonly writesPerSecondMax?: number
}
/** A limit of 0 is none; '' as `user`: it is of the prefix. */
export interface KvQuotaUse {
  readonly prefix: Uint8Array
  readonly user: string
  readonly keysMax: number
  readonly sizeBytesMax: number
  readonly writesPerSecondMax: number
  readonly keys: number
  readonly sizeBytes: number
  /** False: keys that were there before are still being counted. */
  readonly isCounted: boolean
  /** Writes that the member which was asked has refused. */
  readonly refused: number
}

export interface KvMaintenance {
  alarms(options?: CallOptions): Promise<readonly KvAlarm[]>
  clearAlarm(alarm: KvAlarm, options?: CallOptions): Promise<void>
  /** Of the member this client talks to, or of `endpoint`. */
  defragment(options?: CallOptions & { readonly endpoint?: string }): Promise<void>
  /** Beyond etcd: servers of etcd answer UNIMPLEMENTED. Writes beyond a quota reject with QUOTA_EXCEEDED or RATE_EXCEEDED. */
  quotas(options?: CallOptions): Promise<readonly KvQuotaUse[]>
  /** In place of what the same prefix or user had. */
  setQuota(quota: KvQuota, options?: CallOptions): Promise<void>
  /** Rejects with QUOTA_NOT_FOUND if there is none. */
  removeQuota(subject: Pick<KvQuota, 'prefix' | 'user'>, options?: CallOptions): Promise<void>
}

export type KvPermissionKind = 'read' | 'write' | 'readWrite'

/** `key` alone, [key, rangeEnd), or all keys with `prefix` ('' for everything). */
export interface KvPermissionRange {
  readonly key?: Bytes
  readonly rangeEnd?: Bytes
  readonly prefix?: Bytes
}
export interface KvPermission {
  /** Undefined for one that allows nothing. */
  readonly kind: KvPermissionKind | undefined
  readonly key: Uint8Array
  /** Empty: the one key. One zero byte: no upper end. */
  readonly rangeEnd: Uint8Array
}

/** Users and roles. No change is repeated that may have been made. In a member itself nobody is asked who it is. */
export interface KvAuth {
  /** The user root with the role root must exist. */
  enable(options?: CallOptions): Promise<void>
  disable(options?: CallOptions): Promise<void>
  /** Servers older than etcd 3.5 answer UNIMPLEMENTED. */
  status(options?: CallOptions): Promise<{ isEnabled: boolean; revision: number }>
  /** Without a password the user is known by a client certificate only. */
  addUser(name: string, password: string | undefined, options?: CallOptions): Promise<void>
  deleteUser(name: string, options?: CallOptions): Promise<void>
  changePassword(name: string, password: string, options?: CallOptions): Promise<void>
  users(options?: CallOptions): Promise<readonly string[]>
  rolesOf(user: string, options?: CallOptions): Promise<readonly string[]>
  grantRole(user: string, role: string, options?: CallOptions): Promise<void>
  revokeRole(user: string, role: string, options?: CallOptions): Promise<void>
  addRole(name: string, options?: CallOptions): Promise<void>
  deleteRole(role: string, options?: CallOptions): Promise<void>
  roles(options?: CallOptions): Promise<readonly string[]>
  permissionsOf(role: string, options?: CallOptions): Promise<readonly KvPermission[]>
  grantPermission(
    role: string,
    kind: KvPermissionKind,
    range: KvPermissionRange,
    options?: CallOptions,
  ): Promise<void>
  /** Takes one that was granted for this very range. */
  revokePermission(role: string, range: KvPermissionRange, options?: CallOptions): Promise<void>
}

/**
 * Reads are linearizable unless `serializable`; a write that resolved is durable on a quorum. Rejections are KvError. A call is
 * repeated by itself only where that cannot apply a write twice; else it rejects with CONNECTION_LOST or a timeout.
 */
export interface Kv extends AsyncDisposable {
  readonly cluster: KvCluster
  readonly maintenance: KvMaintenance
  readonly auth: KvAuth
  get(
    key: Bytes,
    options?: CallOptions & { revision?: number; serializable?: boolean },
  ): Promise<KvPair | undefined>
  range(options: RangeOptions): Promise<RangeResult>
  /**
   * Over gRPC, where servers may have RangeStream (etcd 3.7, Balsa): the pairs at one revision, in parts as large as the server likes. Others
   * end it with UNIMPLEMENTED before the first part. `pages` uses it by itself.
   */
  readonly rangeStream?: ((options: StreamOptions) => AsyncIterable<readonly KvPair[]>) | undefined
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<PutResult>
  delete(key: Bytes, options?: DeleteOptions): Promise<DeleteResult>
  txn(txn: Txn): Promise<TxnResult>
  /** `physical`: resolves when the old revisions are gone from the tables, not only out of reach. */
  compact(revision: number, options?: CallOptions & { physical?: boolean }): Promise<void>
  watch(options: WatchOptions, handlers: WatchHandlers): Watch
  grantLease(
    ttlSeconds: number,
    options?: CallOptions & { id?: bigint },
  ): Promise<{ id: bigint; ttlSeconds: number }>
  revokeLease(id: bigint, options?: CallOptions): Promise<void>
  /** Renews once; resolves to the new TTL in seconds, 0 if the lease is gone. */
  keepAliveLease(id: bigint, options?: CallOptions): Promise<number>
  leaseTimeToLive(
    id: bigint,
    options?: CallOptions & { keys?: boolean },
  ): Promise<{ ttlSeconds: number; grantedTtlSeconds: number; keys: readonly Uint8Array[] }>
  leases(options?: CallOptions): Promise<readonly bigint[]>
  members(options?: CallOptions): Promise<readonly KvMember[]>
  /** Of the member this client talks to, or of `endpoint` where the client knows several. */
  status(options?: CallOptions & { endpoint?: string }): Promise<KvStatus>
  hashKv(
    options?: CallOptions & { revision?: number; endpoint?: string },
  ): Promise<{ hash: number; compactRevision: number; revision: number }>
  close(): Promise<void>
}
