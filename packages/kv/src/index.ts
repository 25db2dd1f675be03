// The public names of @balsa/kv: an embedded member, the Kv interface and its errors.
export { KvError, grpcStatus, kvErrors, type GrpcStatus, type KvErrorCode } from './errors.ts'
export type {
  Bytes,
  CallOptions,
  Condition,
  DeleteOptions,
  DeleteResult,
  Kv,
  KvAlarm,
  KvAuth,
  KvCluster,
  KvEvent,
  KvHeader,
  KvMaintenance,
  KvMember,
  KvPair,
  KvPermission,
  KvPermissionKind,
  KvPermissionRange,
  KvStatus,
  Operation,
  OperationResult,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  Txn,
  TxnResult,
  Watch,
  WatchBatch,
  WatchHandlers,
  WatchOptions,
  WriteOptions,
} from './kv.ts'
export { forceNewCluster } from './member/force-new-cluster.ts'
export { openMember, type Member, type MemberPorts } from './member/open-member.ts'
export type { MemberOptions } from './member/member-options.ts'
export type { PeerTlsFiles } from './member/peer-tls-files.ts'
export type { MemberApi, WatchSink, WatchStream } from './member/types.ts'
export { etcdClusterVersion, etcdVersion } from './member/version.ts'
