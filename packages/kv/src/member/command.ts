// A raft command: one byte that says which request it is, then the request's protobuf bytes as they came.
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
  alarm: 10,
} as const
export type CommandName = keyof typeof commandKind

/** What applying each command gives when it is not refused. */
export interface CommandResponses {
  put: PutResponse
  deleteRange: DeleteRangeResponse
  txn: TxnResponse
  compact: HeaderOnlyResponse
  leaseGrant: LeaseGrantResponse
  leaseRevoke: HeaderOnlyResponse
  publish: HeaderOnlyResponse
  alarm: AlarmResponse
}
export type CommandResponse = CommandResponses[CommandName]

const names = new Map<number, CommandName>(
  Object.entries(commandKind).map(([name, kind]) => [kind, name as CommandName]),
)

export function encodeCommand(name: CommandName, body: Uint8Array): Uint8Array {
  const command = new Uint8Array(1 + body.length)
  command[0] = commandKind[name]
  command.set(body, 1)
  return command
}

/** `name` is undefined for a kind that this version does not know. */
export function decodeCommand(command: Uint8Array): {
  name: CommandName | undefined
  body: Uint8Array
} {
  return { name: names.get(command[0] ?? 0), body: command.subarray(1) }
}
