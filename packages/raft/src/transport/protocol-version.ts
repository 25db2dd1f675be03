// Which versions of the peer protocol this program speaks, how two peers agree on one, and what the older one cannot say. Members are
// upgraded one by one, so that for a while every connection speaks the version of its older end.
import { encodeMembership } from '../core/membership.ts'
import { entryType, type Entry, type Membership, type Message } from '../core/types.ts'

/**
 * 2 added recovery, the numbers of heartbeats, priorities in votes, memberships with witnesses, lanes and resumable snapshots.
 * 1 has to do without:
 *
 * | version 1 | because |
 * |---|---|
 * | recoverRequest, recoverResult are not sent | whoever asks stays without a vote until a leader understands it |
 * | the number of a heartbeat and of its answer is 0 | 0 proves no lease, reads take a round to a quorum |
 * | the priority of a candidate is 1, the default | a priority only delays an election |
 * | appendEntries ends before a membership of format 2, its snapshots are not sent | the follower stays behind, and acknowledges only what it has, until it is upgraded |
 * | messages share one connection | it is slower behind bulk data |
 * | a snapshot that breaks off begins anew | it carries no id under which it could go on |
 */
export type ProtocolVersion = 1 | 2

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export const protocolVersions: { readonly min: ProtocolVersion; readonly max: ProtocolVersion } = {
  min: 1,
  max: 2,
}

const membershipFormatOld = 1

/** The newest version that both speak. */
export function commonVersion(peer: VersionRange): ProtocolVersion | undefined {
  const version = Math.min(peer.max, protocolVersions.max)
  if (version < peer.min) return undefined
  return isKnown(version) ? version : undefined
}

export function isKnown(version: number): version is ProtocolVersion {
  return version === 1 || version === 2
}

/** What is left of the message for a peer of that version; undefined if nothing is. Fields that it does not know are left out by the codec. */
export function inVersion(message: Message, version: ProtocolVersion): Message | undefined {
  if (version > 1) return message
  if (message.type === 'recoverRequest' || message.type === 'recoverResult') return undefined
  if (message.type === 'installSnapshot') {
    return isOldMembership(message.snapshot.membership) ? message : undefined
  }
  if (message.type !== 'appendEntries') return message
  const end = message.entries.findIndex((entry) => !isOldEntry(entry))
  if (end === -1) return message
  return end === 0 ? undefined : { ...message, entries: message.entries.slice(0, end) }
}

export function isOldEntry({ type, data }: Entry): boolean {
  return type !== entryType.membership || data[0] === membershipFormatOld
}

/** Whether a version 1 peer can read it. */
export function isOldMembership(membership: Membership): boolean {
  return encodeMembership(membership)[0] === membershipFormatOld
}
