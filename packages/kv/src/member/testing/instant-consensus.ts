// Raft's stand-in in tests of the member: every command is an entry of its own, committed and applied at once, and kept so that a
// crash can be followed by a replay of what the tables miss.
import type { NodeId, RaftStatus } from '@balsa/raft/types'
import type { Consensus } from '../consensus.ts'
import type { AppliedEntry, CommandResult, KvStateMachine } from '../state-machine.ts'

export class InstantConsensus implements Consensus<CommandResult> {
  readonly log: AppliedEntry[]
  readonly #id: NodeId
  readonly #stateMachine: KvStateMachine
  isReadable = true

  /** Replays the part of `log` that the state machine does not hold. */
  constructor(id: string, stateMachine: KvStateMachine, log: AppliedEntry[] = []) {
    this.#id = id as NodeId
    this.#stateMachine = stateMachine
    this.log = log
    stateMachine.membershipChanged({ voters: [id], votersOutgoing: [], learners: [] })
    for (const entry of log.slice(stateMachine.durable.appliedIndex)) stateMachine.apply(entry)
  }

  propose(
    command: Uint8Array,
    done: (error: Error | undefined, result: CommandResult | undefined) => void,
  ): boolean {
    const entry = { index: this.log.length + 1, term: 1, commands: [command] }
    this.log.push(entry)
    const [result] = this.#stateMachine.apply(entry)
    done(undefined, result)
    return true
  }

  read(done: (error: Error | undefined) => void): void {
    if (this.isReadable) done(undefined)
  }

  status(): RaftStatus {
    const { index } = this.#stateMachine.applied
    return {
      id: this.#id,
      role: 'leader',
      term: 1,
      vote: this.#id,
      leader: this.#id,
      isRecovering: false,
      firstIndex: 1,
      lastIndex: index,
      persistedIndex: index,
      commitIndex: index,
      appliedIndex: index,
      entryCacheSizeBytes: 0,
      membership: { voters: [this.#id], votersOutgoing: [], learners: [] },
      progress: [],
    }
  }

  changeMembership(): Promise<void> {
    return Promise.reject(new Error('This log has one member for ever'))
  }

  transferLeadership(): Promise<NodeId> {
    return Promise.resolve(this.#id)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
