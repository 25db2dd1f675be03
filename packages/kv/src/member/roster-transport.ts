// The transport that a member gives to raft: where the peers are is the roster's to say, on every member and as the log says it, and
// not only on the leader that changes the membership. It also remembers since when each peer is connected.
import type { Message, NodeId, SnapshotStream, Transport, TransportHandler } from '@balsa/raft'
import type { MemberClock } from './member-clock.ts'

export class RosterTransport implements Transport {
  readonly #inner: Transport
  readonly #clock: MemberClock
  readonly #connectedSinceMs = new Map<string, number>()
  #peers: ReadonlyMap<NodeId, string> = new Map()

  constructor(inner: Transport, clock: MemberClock) {
    this.#inner = inner
    this.#clock = clock
  }

  start(handler: TransportHandler): Promise<void> {
    return this.#inner.start({
      ...handler,
      connected: (peer) => {
        if (!this.#connectedSinceMs.has(peer)) {
          this.#connectedSinceMs.set(peer, this.#clock.now())
        }
        handler.connected?.(peer)
      },
      unreachable: (peer) => {
        this.#connectedSinceMs.delete(peer)
        handler.unreachable(peer)
      },
    })
  }

  send(messages: readonly Message[]): void {
    this.#inner.send(messages)
  }

  sendSnapshot(to: NodeId, stream: SnapshotStream): Promise<void> {
    return this.#inner.sendSnapshot(to, stream)
  }

  /** Raft's own word, which only the leader's raft knows anew, is not needed. */
  setPeers(): void {
    this.#inner.setPeers(this.#peers)
  }

  /** Where the others are, by the log; replaces what was known. */
  setRoster(peers: ReadonlyMap<string, string>): void {
    const isSame =
      peers.size === this.#peers.size &&
      [...peers].every(([id, url]) => this.#peers.get(id as NodeId) === url)
    if (isSame) return
    this.#peers = peers as ReadonlyMap<NodeId, string>
    for (const id of this.#connectedSinceMs.keys()) {
      if (!peers.has(id)) this.#connectedSinceMs.delete(id)
    }
    this.#inner.setPeers(this.#peers)
  }

  /** Undefined: it is not connected now. */
  connectedSinceMs(id: string): number | undefined {
    return this.#connectedSinceMs.get(id)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
