// Every limit and interval of the shell that has a default.
import type { RaftLimits } from './types.ts'

export const heartbeatIntervalMsDefault = 100
export const electionTimeoutMsDefault = 1000
export const snapshotEntriesDefault = 10_000
export const catchUpEntriesDefault = 5_000

export const limitsDefault: RaftLimits = {
  commandSizeBytesMax: 2 * 1024 * 1024,
  pendingCommandsMax: 16_384,
  pendingSizeBytesMax: 64 * 1024 * 1024,
  entryCommandsMax: 1_024,
  entrySizeBytesMax: 1024 * 1024,
  logRetentionSizeBytesMax: 256 * 1024 * 1024,
  logRetentionEntriesMax: 1_000_000,
}

/** What a proposal or a read waits at most, beside two election timeouts (etcd's rule). */
export const requestTimeoutBaseMs = 5_000

/** Reads that wait on one member. */
export const pendingReadsMax = 65_536

/** Commands and payload bytes applied before the event loop gets its turn. */
export const applyCommandsPerTurnMax = 1_024
export const applyBytesPerTurnMax: number = 1024 * 1024

/** Payload bytes of one appendEntries, of the leader's uncommitted tail; messages and their bytes in flight to one follower. */
export const messageSizeBytesMax: number = 512 * 1024
export const uncommittedSizeBytesMax: number = 64 * 1024 * 1024
export const inflightMessagesMax = 256
export const inflightSizeBytesMax: number = 32 * 1024 * 1024

/** Applied entries kept in memory for followers; older ones are read back from the WAL. */
export const entryCacheSizeBytesMax: number = 32 * 1024 * 1024

/** A checkpoint comes after this many applied payload bytes too, and this many are kept for slow followers at most. */
export const checkpointSizeBytes: number = 64 * 1024 * 1024
export const catchUpSizeBytesMax: number = 32 * 1024 * 1024

/** Snapshots on their way to followers at the same time, those that broke off and may go on among them. */
export const snapshotsSentMax = 2
/** Payload of one of them, so that it leaves disk and network to others. */
export const snapshotBytesPerSecondMax: number = 128 * 1024 * 1024
/** How long the view of a snapshot that broke off, and the log after it, are kept for its continuation. */
export const snapshotPinnedMsMax = 60_000
/** A transfer that breaks off without having come further is tried again later and later, up to this. */
export const snapshotRetryMsMax = 30_000
