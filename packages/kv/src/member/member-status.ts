// What a member says of itself and of the cluster as it sees it (etcd's Status).
import type { ResponseHeader, StatusResponse } from '../proto/messages.ts'
import { parseIdText } from './identity.ts'
import type { MemberParts } from './member-parts.ts'
import { etcdVersion } from './version.ts'

/** Needs no quorum. */
export function memberStatus(
  { consensus, stateMachine }: Pick<MemberParts, 'consensus' | 'stateMachine'>,
  own: {
    readonly header: ResponseHeader
    readonly alarms: readonly string[]
    readonly quotaBytes: number
  },
): StatusResponse {
  const raft = consensus.status()
  const leader = raft.leader === undefined ? 0n : parseIdText(raft.leader)
  const { size } = stateMachine.housekeeping
  const { downgradeTarget } = stateMachine.cluster
  return {
    header: own.header,
    version: etcdVersion,
    dbSize: size.total,
    leader,
    raftIndex: raft.commitIndex,
    raftTerm: raft.term,
    raftAppliedIndex: stateMachine.applied.index,
    errors: [...(leader === 0n ? ['etcdserver: no leader'] : []), ...own.alarms],
    dbSizeInUse: size.used,
    isLearner: raft.membership.learners.includes(raft.id),
    storageVersion: '',
    dbSizeQuota: own.quotaBytes,
    ...(downgradeTarget === ''
      ? {}
      : { downgradeInfo: { enabled: true, targetVersion: downgradeTarget } }),
  }
}
