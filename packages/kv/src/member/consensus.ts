// What the member asks of raft: the part of its Node that requests use, so that tests can put a stand-in there.
import type { RaftStatus } from '@balsa/raft/types'

export interface Consensus<Result> {
  propose(
    command: Uint8Array,
    done: (error: Error | undefined, result: Result | undefined) => void,
  ): boolean
  read(done: (error: Error | undefined) => void): void
  status(): RaftStatus
  /** Hands the lead over if it leads others. */
  close(): Promise<void>
}
