// What the member asks of raft: the part of its Node that requests use, so that tests can put a stand-in there.
import type { NodeId, RaftStatus } from '@balsa/raft/types'

export interface Consensus<Result> {
  propose(
    command: Uint8Array,
    done: (error: Error | undefined, result: Result | undefined) => void,
  ): void
  read(done: (error: Error | undefined) => void): void
  transferLeadership(to: NodeId): Promise<void>
  status(): RaftStatus
  close(): Promise<void>
}
