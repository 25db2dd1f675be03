// The client of a Balsa or an etcd cluster.
export { connect } from './connect.ts'
export type { ConnectOptions } from './connect.ts'
export { keepLeaseAlive } from './lease-keeper.ts'
export type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.ts'
export { KvError } from '../errors.ts'
export type { KvErrorCode } from '../errors.ts'
export type {
  Bytes,
  CallOptions,
  Condition,
  DeleteOptions,
  Kv,
  KvEvent,
  KvMember,
  KvPair,
  KvStatus,
  Operation,
  OperationResult,
  PutOptions,
  RangeOptions,
  RangeResult,
  Txn,
  TxnResult,
  Watch,
  WatchBatch,
  WatchHandlers,
  WatchOptions,
} from '../kv.ts'
