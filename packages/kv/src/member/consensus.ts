// What the member asks of raft: the part of its Node that requests use, so that tests can put a stand-in there.
import type { Membership, NodeId, RaftStatus } from '@balsa/raft/types'

export interface Consensus<Result> {
  propose(
    command: Uint8Array,
    done: (error: Error | undefined, result: Result | undefined) => void,
  ): boolean
  read(done: (error: Error | undefined) => void): void
  status(): RaftStatus
  /** Leader only; resolves when the change is in force here. */
  changeMembership(target: Membership, peers: ReadonlyMap<NodeId, string>): Promise<void>
  /** Leader only; resolves with the new leader. */
  transferLeadership(to?: NodeId): Promise<NodeId>
  /** Hands the lead over if it leads others. */
  close(): Promise<void>
}
