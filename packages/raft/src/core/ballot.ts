// Term and vote of one member (Figure 2, persistent state) and what of them is on its way to the disk. Keeps: the term never falls, one
// vote a term, and a vote for oneself counts, like any other promise, only when it is durable.
import { assert } from './assert.ts'
import type { HardState, LogIndex, NodeId, Term } from './types.ts'

interface OwnVote {
  readonly sequence: number
  readonly term: Term
}

export class Ballot {
  readonly #id: NodeId
  #term: Term
  #vote: NodeId | undefined
  #isRecovering: boolean
  #handed: HardState
  #ownVotes: OwnVote[] = []

  constructor(id: NodeId, restored: HardState) {
    this.#id = id
    this.#term = restored.term
    this.#vote = restored.vote
    this.#isRecovering = restored.isRecovering === true
    this.#handed = restored
  }

  get term(): Term {
    return this.#term
  }

  get vote(): NodeId | undefined {
    return this.#vote
  }

  /** The log may lack what this member has acknowledged: it must neither give a vote nor campaign. */
  get isRecovering(): boolean {
    return this.#isRecovering
  }

  /** Everything that was acknowledged is in the log again, durably. Votes leave only after this is durable too. */
  recovered(): void {
    this.#isRecovering = false
  }

  /** Whether term, vote or the end of a recovery have to be written and synced. */
  get isChanged(): boolean {
    const { term, vote, isRecovering } = this.#handed
    return (
      term !== this.#term || vote !== this.#vote || (isRecovering === true) !== this.#isRecovering
    )
  }

  /** A newer term was heard of: nobody has this member's vote in it yet. */
  enter(term: Term): void {
    assert(term >= this.#term, 'the term never falls')
    if (term === this.#term) return
    this.#term = term
    this.#vote = undefined
  }

  voteFor(id: NodeId): void {
    assert(this.#vote === undefined || this.#vote === id, 'a member votes once a term')
    assert(!this.#isRecovering, 'a recovering member does not vote')
    this.#vote = id
  }

  /** Enters the next term as a candidate. */
  campaign(): void {
    this.enter(this.#term + 1)
    this.voteFor(this.#id)
  }

  isChangedSince(commit: LogIndex): boolean {
    return this.isChanged || this.#handed.commit !== commit
  }

  /** What the Ready of `sequence` has to write; undefined if nothing changed. */
  handOut(sequence: number, commit: LogIndex): HardState | undefined {
    if (!this.isChangedSince(commit)) return undefined
    if (this.isChanged && this.#vote === this.#id) {
      this.#ownVotes.push({ sequence, term: this.#term })
    }
    const hardState = { term: this.#term, vote: this.#vote, commit }
    this.#handed = this.#isRecovering ? { ...hardState, isRecovering: true } : hardState
    return this.#handed
  }

  /** Everything up to the Ready of `sequence` is durable. Returns whether this makes the vote for oneself in this term durable. */
  persisted(sequence: number): boolean {
    const durable = this.#ownVotes.filter((vote) => vote.sequence <= sequence)
    if (durable.length === 0) return false
    this.#ownVotes = this.#ownVotes.filter((vote) => vote.sequence > sequence)
    return durable.some((vote) => vote.term === this.#term)
  }

  verify(commit: LogIndex): void {
    assert(this.#handed.term <= this.#term, 'the term never falls')
    assert(this.#handed.commit <= commit, 'the commit index never falls')
  }
}
