// Majorities, also of a joint configuration: pure arithmetic over a membership (paper 5.2 and 5.3.3, thesis 4.3).
import type { LogIndex, Membership, NodeId } from './types.ts'

export type VoteOutcome = 'won' | 'lost' | 'pending'

export function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

/** The highest number that a quorum has reached or passed, by `reachedBy`; of a joint configuration the lower of both. */
export function quorumReached(membership: Membership, reachedBy: (id: NodeId) => number): LogIndex {
  const incoming = majorityReached(membership.voters, reachedBy)
  if (membership.votersOutgoing.length === 0) return incoming
  return Math.min(incoming, majorityReached(membership.votersOutgoing, reachedBy))
}

function majorityReached(voters: readonly NodeId[], reachedBy: (id: NodeId) => number): number {
  // Sorted descending by insertion: a handful of voters, and no comparator call per acknowledgement.
  const reached: number[] = []
  for (const id of voters) {
    const value = reachedBy(id)
    let i = reached.length
    while (i > 0 && (reached[i - 1] ?? 0) < value) {
      reached[i] = reached[i - 1] ?? 0
      i--
    }
    reached[i] = value
  }
  return reached[majority(voters.length) - 1] ?? 0
}

/** Whether a quorum answers true. */
export function hasQuorum(membership: Membership, answers: (id: NodeId) => boolean): boolean {
  return quorumReached(membership, (id) => (answers(id) ? 1 : 0)) === 1
}

/** `votes` holds the answers so far; voters that have not answered are missing. */
export function voteOutcome(
  membership: Membership,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteOutcome {
  if (hasQuorum(membership, (id) => votes.get(id) === true)) return 'won'
  return hasQuorum(membership, (id) => votes.get(id) !== false) ? 'pending' : 'lost'
}
