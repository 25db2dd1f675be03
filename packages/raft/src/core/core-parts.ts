// What a core is made of, put together from what its member recovered.
import { Ballot } from './ballot.ts'
import { Candidacy, type CampaignHooks } from './candidacy.ts'
import { Follower } from './follower.ts'
import { ForwardedReads, numbersStartMax } from './forwarded-reads.ts'
import { isSoleVoter, memberIds } from './membership.ts'
import { knownCommitted, MembershipHistory } from './membership-history.ts'
import { VotePromise } from './lease.ts'
import { Outbox } from './outbox.ts'
import { RaftLog } from './raft-log.ts'
import { Recovery } from './recovery.ts'
import type { HardState, Membership, RaftConfig, RestoredState } from './types.ts'
import { Voting } from './voting.ts'

export interface CoreParts {
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly outbox: Outbox
  readonly memberships: MembershipHistory
  readonly voting: Voting
  readonly follower: Follower
  readonly candidacy: Candidacy
  readonly recovery: Recovery
  readonly forwardedReads: ForwardedReads
  readonly promise: VotePromise
  /** Of the first message with forwarded proposals. */
  readonly proposeSequence: number
}

export function makeCoreParts(
  config: RaftConfig,
  restored: RestoredState,
  hooks: CampaignHooks,
): CoreParts {
  const { id, electionTicks, random } = config
  const { snapshot, entries, appliedIndex } = restored
  const hardState = trusted(restored)
  const ballot = new Ballot(id, hardState)
  const memberships = new MembershipHistory(snapshot, entries, appliedIndex)
  const log = new RaftLog({
    snapshot,
    entries,
    commitIndex: hardState.commit,
    appliedIndex,
    cacheSizeBytesMax: () => cacheSizeBytesMax(config, memberships.current),
  })
  // Entries are written before the hard state; a crash between them leaves a log that is newer than the term.
  ballot.enter(Math.max(hardState.term, log.lastTerm))
  log.commitTo(knownCommitted(entries))
  const outbox = new Outbox()
  const recovery = new Recovery({
    id,
    ballot,
    log,
    outbox,
    patienceTicks: electionTicks,
    firstNonce: Math.floor(random() * numbersStartMax),
  })
  const shared = { id, ballot, log, outbox, recovery }
  const promise = new VotePromise(config.leaseReads, electionTicks)
  // It may have promised something in an earlier life; a sole voter, that no change can have made less, only to itself.
  const isAlone = isSoleVoter(memberships.current, id) && !log.hasUnappliedMembership(log.lastIndex)
  if (!isAlone) promise.give()
  const voting = new Voting({ ...shared, memberships, priority: config.priority })
  return {
    ballot,
    log,
    outbox,
    memberships,
    voting,
    follower: new Follower({ ...shared, promise }),
    candidacy: new Candidacy({ config, ballot, log, memberships, voting, promise, ...hooks }),
    recovery,
    promise,
    proposeSequence: Math.floor(random() * numbersStartMax),
    forwardedReads: new ForwardedReads({
      id,
      outbox,
      patienceTicks: electionTicks,
      firstNumber: Math.floor(random() * numbersStartMax),
    }),
  }
}

/** Without others nobody asks for what is applied. */
function cacheSizeBytesMax({ entryCacheSizeBytesMax }: RaftConfig, membership: Membership): number {
  if (entryCacheSizeBytesMax === undefined) return Infinity
  return memberIds(membership).length > 1 ? entryCacheSizeBytesMax : 0
}

/** Where entries were lost, the log may be older than what is said to be committed, and other entries may stand at those indexes. */
function trusted({ hardState, appliedIndex }: RestoredState): HardState {
  if (hardState.isRecovering !== true) return hardState
  return { ...hardState, commit: appliedIndex }
}
