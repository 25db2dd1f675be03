// A member that may have lost entries it had acknowledged (its hard state says isRecovering). It follows and acknowledges what it really
// has, but gives no vote until a leader has given back all that it ever acknowledged. Why that is safe: docs/recovering-members.md.
import type { Ballot } from './ballot.ts'
import type { Outbox } from './outbox.ts'
import type { RaftLog } from './raft-log.ts'
import type { LogIndex, NodeId, RecoverResult, Term } from './types.ts'

export interface RecoveryOptions {
  readonly id: NodeId
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly outbox: Outbox
  /** How long the log may stay as it is before the leader is asked again. */
  readonly patienceTicks: number
  /** Random: an answer that an earlier life asked for must not be taken for one to this life. */
  readonly firstNonce: number
}

export class Recovery {
  readonly #options: RecoveryOptions
  /** All below is about the leader of this term; undefined before one was heard of. */
  #term: Term | undefined
  #nonce: number
  /** The log is the same as the leader's up to here. */
  #matchedIndex: LogIndex = 0
  /** The leader's last index when it answered. */
  #targetIndex: LogIndex | undefined
  #idleTicks = 0

  constructor(options: RecoveryOptions) {
    this.#options = options
    this.#nonce = options.firstNonce
  }

  get isActive(): boolean {
    return this.#options.ballot.isRecovering
  }

  tick(): void {
    this.#idleTicks++
  }

  /** A message came that only the leader of the present term sends. */
  heard(leader: NodeId): void {
    if (!this.isActive) return
    const isNew = this.#enterTerm()
    // An acknowledgement from before the loss may arrive only now and make the leader skip what is missing: it has to be told again.
    if (isNew || this.#idleTicks >= this.#options.patienceTicks) this.#ask(leader)
  }

  /** Returns whether it is news: what an older leader said or sent proves nothing about this one's log. */
  #enterTerm(): boolean {
    const { ballot } = this.#options
    if (this.#term === ballot.term) return false
    this.#term = ballot.term
    this.#matchedIndex = 0
    this.#targetIndex = undefined
    return true
  }

  #ask(to: NodeId): void {
    const { id, ballot, outbox } = this.#options
    this.#idleTicks = 0
    this.#nonce++
    outbox.send({ type: 'recoverRequest', from: id, to, term: ballot.term, nonce: this.#nonce })
  }

  answered(message: RecoverResult): void {
    if (!this.isActive || this.#term !== message.term || this.#nonce !== message.nonce) return
    // The first answer is enough; a later one would only be a longer way.
    this.#targetIndex ??= message.lastIndex
    this.check()
  }

  /** The leader of the present term has shown that its log is the same up to `index`. */
  matched(index: LogIndex): void {
    if (!this.isActive || index <= this.#matchedIndex) return
    this.#matchedIndex = index
    this.#idleTicks = 0
    this.check()
  }

  /** How far the leader's word about what is committed can be taken: it may count entries that are lost here. */
  commitLimit(commit: LogIndex): LogIndex {
    return this.isActive ? Math.min(commit, this.#matchedIndex) : commit
  }

  /** The log was replaced by a snapshot, or more of it is durable. */
  check(): void {
    const { ballot, log } = this.#options
    if (!this.isActive || this.#term !== ballot.term || this.#targetIndex === undefined) return
    // What is committed is the same everywhere, whoever said so.
    const sameIndex = Math.max(this.#matchedIndex, log.commitIndex)
    if (Math.min(sameIndex, log.persistedIndex) >= this.#targetIndex) ballot.recovered()
  }
}
