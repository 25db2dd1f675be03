// What a core is made of, put together from what its member recovered.
import { Ballot } from './ballot.ts'
import { Follower } from './follower.ts'
import { ForwardedReads, numbersStartMax } from './forwarded-reads.ts'
import { knownCommitted, MembershipHistory } from './membership-history.ts'
import { Outbox } from './outbox.ts'
import { RaftLog } from './raft-log.ts'
import { Recovery } from './recovery.ts'
import type { HardState, RaftConfig, RestoredState } from './types.ts'
import { Voting } from './voting.ts'

export interface CoreParts {
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly outbox: Outbox
  readonly memberships: MembershipHistory
  readonly voting: Voting
  readonly follower: Follower
  readonly recovery: Recovery
  readonly forwardedReads: ForwardedReads
  /** Of the first message with forwarded proposals. */
  readonly proposeSequence: number
}

export function makeCoreParts(config: RaftConfig, restored: RestoredState): CoreParts {
  const { id, electionTicks, random } = config
  const { snapshot, entries, appliedIndex } = restored
  const hardState = trusted(restored)
  const ballot = new Ballot(id, hardState)
  const log = new RaftLog({ snapshot, entries, commitIndex: hardState.commit, appliedIndex })
  // Entries are written before the hard state; a crash between them leaves a log that is newer than the term.
  ballot.enter(Math.max(hardState.term, log.lastTerm))
  log.commitTo(knownCommitted(entries))
  const outbox = new Outbox()
  const memberships = new MembershipHistory(snapshot, entries, appliedIndex)
  const recovery = new Recovery({
    id,
    ballot,
    log,
    outbox,
    patienceTicks: electionTicks,
    firstNonce: Math.floor(random() * numbersStartMax),
  })
  const shared = { id, ballot, log, outbox, recovery }
  return {
    ballot,
    log,
    outbox,
    memberships,
    voting: new Voting({ ...shared, memberships }),
    follower: new Follower(shared),
    recovery,
    proposeSequence: Math.floor(random() * numbersStartMax),
    forwardedReads: new ForwardedReads({
      id,
      outbox,
      patienceTicks: electionTicks,
      firstNumber: Math.floor(random() * numbersStartMax),
    }),
  }
}

/** Where entries were lost, the log may be older than what is said to be committed, and other entries may stand at those indexes. */
function trusted({ hardState, appliedIndex }: RestoredState): HardState {
  if (hardState.isRecovering !== true) return hardState
  return { ...hardState, commit: appliedIndex }
}
