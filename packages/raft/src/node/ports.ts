// The doors of the shell to the world: disk, network, clock, chance. Real ones in file-system-node.ts, ws-transport.ts, clock-node.ts;
// in-memory twins with faults in the simulation. All time and randomness of the shell goes through these ports, so that a
// simulated run is a function of its seed.
import type { Message, NodeId, SnapshotMeta } from '../core/types.ts'

/** Files of one member. Paths are absolute or relative to the process, '/' separated. Errors carry Node's `code` (ENOENT, ENOSPC, EIO...). */
export interface FileSystem {
  /** `create` makes an empty file and fails with EEXIST if it is there; `write` opens an existing one for reading and writing. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<File>
  /** Names in a folder, sorted; ENOENT if it is missing. */
  list(path: string): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  /** Atomic. Lasts through a crash only after syncDirectory() of the parent. */
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** Takes an exclusive lock that ends with the process; fails with code ELOCKED when another process holds it. */
  lock(path: string): Promise<{ release(): Promise<void> }>
}

export interface File {
  size(): Promise<number>
  /** Up to `length` bytes from `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Writes all bytes, several buffers as one system call. Lasts through a crash only after sync(). */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>
  /** fdatasync: data and what is needed to read it back. After a failed sync the file is never trusted again. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Monotonic milliseconds, timers and a turn of the loop. */
export interface Clock {
  now(): number
  /** Goes on while the machine is suspended, when now() may stand still. Left out: now(). */
  wallMs?(): number
  /** Calls back once after `ms`; returns the cancel function. */
  setTimer(ms: number, callback: () => void): () => void
  /** Calls back after the current turn of the event loop: what arrives until then shares one batch. */
  defer(callback: () => void): void
}

export type Random = () => number

/** How much of a stream the receiver has: its first `offset` bytes, and their CRC-32. */
export interface StreamPosition {
  readonly offset: number
  readonly checksum: number
}

/** A snapshot on its way between two members: what the receiver asks of it, the transport brings from the sender. */
export interface SnapshotStream {
  readonly meta: SnapshotMeta
  /** 32 hex digits, new for every view that the sender pins; undefined if the stream cannot go on after a break. */
  readonly id: string | undefined
  /** The bytes after that position; called once at most on the receiver's side. Fails if the sender's bytes before it are others. */
  chunks(from: StreamPosition): AsyncIterable<Uint8Array>
}

/** What a transport delivers to its member. */
export interface TransportHandler {
  /** Of the cluster as this member knows it; undefined while it has no log and joins the one it meets. Left out: 0. */
  generation?(): number | undefined
  /** Called while generation() is undefined, before anything is delivered from a peer of that generation. */
  joined?(generation: number): void
  message(message: Message): void
  /** A peer streams a snapshot. Resolves when it is on disk and synced; rejects to make the sender try again later. */
  snapshot(from: NodeId, stream: SnapshotStream): Promise<void>
  unreachable(id: NodeId): void
  /** A connection to it was made, the first one or another. */
  connected?(id: NodeId): void
}

/** Carries messages between members: may lose, delay, reorder and repeat them, never alter them. Queues are bounded; what does not fit is dropped. */
export interface Transport {
  start(handler: TransportHandler): Promise<void>
  /** Never blocks and never throws. */
  send(messages: readonly Message[]): void
  /** Resolves when the receiver has it on disk. */
  sendSnapshot(to: NodeId, stream: SnapshotStream): Promise<void>
  /** Where the peers are; replaces what was known. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void
  close(): Promise<void>
}
