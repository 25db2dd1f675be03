// The part of MemberApi that knows and changes who the members are: etcd's Cluster service, and of Maintenance what moves the lead and
// the cluster's version.
import type {
  DowngradeResponse,
  MemberAddResponse,
  MemberListResponse,
  MemberRecord,
} from '../proto/messages.ts'
import type { Done } from './types.ts'

/** Requests come as the protobuf bytes of etcd's message. Any member takes changes and has the leader make them; their replies tell no revision. */
export interface ClusterApi {
  /** Whether this member is a learner as far as it knows: then it serves little. */
  isLearner(): boolean
  /** As this member knows them, by id; without a round to a quorum. */
  members(): readonly MemberRecord[]
  /** What all members have at least, as '3.6.0'; undefined until the first leader has settled it. */
  version(): string | undefined
  /** Answers when the new member is part of the cluster; it need not run yet. */
  add(body: Uint8Array, done: Done<MemberAddResponse>): void
  /** A member that is removed stops, and its data is of no use any more. */
  remove(body: Uint8Array, done: Done<MemberListResponse>): void
  /** Changes a member's peer URLs. */
  update(body: Uint8Array, done: Done<MemberListResponse>): void
  /** Makes a voter of a learner that has caught up. */
  promote(body: Uint8Array, done: Done<MemberListResponse>): void
  /** Only the leader takes it; answers when the other one leads. */
  moveLeader(body: Uint8Array, done: Done<undefined>): void
  downgrade(body: Uint8Array, done: Done<DowngradeResponse>): void
}
