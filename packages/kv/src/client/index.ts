// The client of a Balsa or an etcd cluster.
export { json, messagePack, raw, text } from './codec.ts'
export type { Codec } from './codec.ts'
export { Collection } from './collection.ts'
export type { Change, Entry } from './collection.ts'
export { AuthClient } from './auth-client.ts'
export { connect, connectAuth } from './connect.ts'
export type { ConnectOptions } from './connect.ts'
export { follow } from './follow.ts'
export { keepLeaseAlive } from './lease-keeper.ts'
export type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.ts'
export { namespaced } from './namespace.ts'
export { pages, pairs } from './pages.ts'
export type { PagesOptions } from './pages.ts'
export { openSession, Session } from './session.ts'
export type { SessionOptions } from './session.ts'
export { KvError } from '../errors.ts'
export type { KvErrorCode } from '../errors.ts'
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
} from '../kv.ts'
