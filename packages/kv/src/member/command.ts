// A raft command: one byte that says which request it is, then the request's protobuf bytes as they came.
import { encodeCaller, type Caller } from '../auth/caller.ts'
import type {
  AlarmResponse,
  DeleteRangeResponse,
  HeaderOnlyResponse,
  LeaseGrantResponse,
  PutResponse,
  TxnResponse,
} from '../proto/messages.ts'

/** Numbers are on disk and on the wire: they never change their meaning. */
export const commandKind = {
  put: 1,
  deleteRange: 2,
  txn: 3,
  compact: 4,
  leaseGrant: 5,
  leaseRevoke: 6,
  /** A member says its name and URLs: body is JSON of MemberAttributes. */
  publish: 7,
  /** On behalf of a caller: who it is (auth/caller.ts), then the command. One without it comes from a stranger. */
  as: 8,
  /** A change of users and roles (auth/auth-machine.ts). */
  auth: 9,
  alarm: 10,
  /** Of members that did not say the term yet: see `leaseRemaining`. */
  leaseCheckpoint: 11,
  /** What changes in the cluster beside the membership: body is JSON of ClusterCommand. */
  cluster: 12,
  /** What prefixes and users may have: the sort of change (quota/quota-command.ts), then its request. */
  quota: 13,
  /** A leader ends a lease whose time is up (term-bound.ts). */
  leaseExpire: 14,
  /** A leader tells what is left of leases (term-bound.ts). */
  leaseRemaining: 15,
} as const
export type CommandName = keyof typeof commandKind

/** What this version applies: every kind up to this one, and puts with a TTL. */
export const highestCommand: number = commandKind.leaseRemaining
/** What members apply that do not say it. */
export const unsaidCommands: number = commandKind.cluster
/** Before this one a put with a TTL was a put on a lease that must be there. */
export const ttlPutSince: number = commandKind.leaseRemaining

/** What applying each command gives when it is not refused. */
export interface CommandResponses {
  put: PutResponse
  deleteRange: DeleteRangeResponse
  txn: TxnResponse
  compact: HeaderOnlyResponse
  leaseGrant: LeaseGrantResponse
  leaseRevoke: HeaderOnlyResponse
  publish: HeaderOnlyResponse
  /** That of the command within. */
  as: CommandResponse
  auth: AuthCommandResponse
  alarm: AlarmResponse
  leaseCheckpoint: HeaderOnlyResponse
  cluster: HeaderOnlyResponse
  quota: HeaderOnlyResponse
  leaseExpire: HeaderOnlyResponse
  leaseRemaining: HeaderOnlyResponse
}
/** `token` where one was asked for. */
export interface AuthCommandResponse extends HeaderOnlyResponse {
  readonly token: string
}
export type CommandResponse = CommandResponses[Exclude<CommandName, 'as'>]

const names = new Map<number, CommandName>(
  Object.entries(commandKind).map(([name, kind]) => [kind, name as CommandName]),
)

export function encodeCommand(name: CommandName, body: Uint8Array, caller: Caller): Uint8Array {
  const head = caller.kind === 'stranger' ? undefined : encodeCaller(caller)
  const headSizeBytes = head === undefined ? 0 : 1 + head.length
  const command = new Uint8Array(headSizeBytes + 1 + body.length)
  if (head !== undefined) {
    command[0] = commandKind.as
    command.set(head, 1)
  }
  command[headSizeBytes] = commandKind[name]
  command.set(body, headSizeBytes + 1)
  return command
}

/** `name` is undefined for a kind that this version does not know. */
export function decodeCommand(command: Uint8Array): {
  name: CommandName | undefined
  body: Uint8Array
} {
  return { name: names.get(command[0] ?? 0), body: command.subarray(1) }
}
