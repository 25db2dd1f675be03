export { decodeMembership } from './core/membership.ts'
export { RaftCore } from './core/raft-core.ts'
export {
  entryType,
  type Core,
  type Entry,
  type LogIndex,
  type Membership,
  type Message,
  type NodeId,
  type Persist,
  type RaftConfig,
  type RaftStatus,
  type ReadState,
  type Ready,
  type RestoredState,
  type Role,
  type SnapshotMeta,
  type Term,
} from './core/types.ts'
export { RaftError, type RaftErrorCode } from './errors.ts'
export { nodeClock, nodeRandom } from './node/clock-node.ts'
export { nodeFileSystem } from './node/file-system-node.ts'
export type { RaftMetrics } from './node/metrics.ts'
export type {
  Clock,
  File,
  FileSystem,
  Random,
  SnapshotStream,
  StreamPosition,
  Transport,
  TransportHandler,
} from './node/ports.ts'
export { RaftNode } from './node/raft-node.ts'
export {
  recoverLostQuorum,
  type LostQuorumOptions,
  type LostQuorumReport,
} from './node/recover-lost-quorum.ts'
export { seedLog, type SeedLogOptions } from './node/seed-log.ts'
export type {
  CloseOptions,
  CommittedEntry,
  Node,
  NodeStatus,
  ProposalDone,
  RaftLimits,
  RaftNodeEvent,
  RaftNodeOptions,
  StateMachine,
  StateSnapshot,
} from './node/types.ts'
export {
  createPeerServer,
  dialOptions,
  peerServerOptions,
  type DialTls,
  type PeerServerOptions,
  type PeerTls,
} from './transport/peer-tls.ts'
export { MemoryNetwork } from './transport/memory-transport.ts'
export {
  createWsTransport,
  type WsTransport,
  type WsTransportOptions,
} from './transport/ws-transport.ts'
