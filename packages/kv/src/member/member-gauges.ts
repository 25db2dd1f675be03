// What a member's metrics show of the moment they are asked for.
import type { MemberGauges } from './member-metrics.ts'
import type { MemberParts } from './member-parts.ts'

type MachineParts = Pick<MemberParts, 'stateMachine' | 'consensus'>

export function gaugesOf({
  stateMachine,
  consensus,
}: MachineParts): Omit<MemberGauges, 'quotaBytes'> {
  const raft = consensus.status()
  const { hub, store, housekeeping } = stateMachine
  const { watchers, slow, eventsSent } = hub.counts
  const { size } = housekeeping
  return {
    hasLeader: raft.leader !== undefined,
    isLeader: raft.role === 'leader',
    isLearner: raft.membership.learners.includes(raft.id),
    committedIndex: raft.commitIndex,
    appliedIndex: raft.appliedIndex,
    dbSizeBytes: size.total,
    dbUsedBytes: size.used,
    keys: store.index.size,
    revision: store.revision,
    compactRevision: store.compactRevision,
    authRevision: stateMachine.auth.store.revision,
    watchers,
    slowWatchers: slow,
    eventsSent,
    rowsCompacted: housekeeping.rowsCompacted,
  }
}
