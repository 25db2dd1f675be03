// What the compatibility run does to two servers, as data: it can be printed, kept and done again, whole or in part.
export type Json = Record<string, unknown>

/** Text fields that are bytes in etcd's messages; here one character is one byte. */
const bytesFields = new Set(['key', 'range_end', 'value'])

/** `back` revisions before the newest one when the operation is done; less than 0: in the future. */
export interface RelativeRevision {
  readonly back: number
}

export type Operation =
  /** `as`: the user whose token goes along; left out: none. */
  | { readonly type: 'call'; readonly method: string; readonly body: Json; readonly as?: string }
  | {
      readonly type: 'watch'
      readonly stream: number
      readonly body: Json
      readonly as?: string
    }
  /** Of the watches of that stream that live the `nth`, counted round. */
  | { readonly type: 'cancel'; readonly stream: number; readonly nth: number }
  | { readonly type: 'progress'; readonly stream: number }
  /** The stream with all its watches; the next watch on it opens it again. */
  | { readonly type: 'close'; readonly stream: number }
  /** All that is known to watchers and HashKV is compared. */
  | { readonly type: 'settle' }

export function call(method: string, body: Json, as?: string): Operation {
  return { type: 'call', method, body, ...(as === undefined ? {} : { as }) }
}

const readMethods = new Set([
  'KV/Range',
  'Lease/LeaseTimeToLive',
  'Lease/LeaseLeases',
  'Lease/LeaseKeepAlive',
  'Maintenance/HashKV',
  'Maintenance/Status',
  'Cluster/MemberList',
  'Auth/UserGet',
  'Auth/UserList',
  'Auth/RoleGet',
  'Auth/RoleList',
])

/** Whether it changes nothing that another one sees, so that their order does not matter. */
export function isRead(operation: Operation): operation is Extract<Operation, { type: 'call' }> {
  if (operation.type !== 'call') return false
  const { method, body } = operation
  if (method === 'Maintenance/Alarm') return body['action'] === 'GET'
  if (method !== 'KV/Txn') return readMethods.has(method)
  const inside = [body['success'], body['failure']].flat() as (Json | undefined)[]
  return inside.every((each) => each?.['request_range'] !== undefined)
}

function isRelative(value: unknown): value is RelativeRevision {
  return typeof value === 'object' && value !== null && 'back' in value
}

/** The message as the gRPC library takes it, with `revision` as the newest one. */
export function messageOf(body: Json, revision: number): Json {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, fieldOf(name, value, revision)]),
  )
}

function fieldOf(name: string, value: unknown, revision: number): unknown {
  if (isRelative(value)) return Math.max(revision - value.back, 1)
  if (typeof value === 'string' && bytesFields.has(name)) return Buffer.from(value, 'latin1')
  if (Array.isArray(value)) return value.map((each) => fieldOf('', each, revision))
  if (typeof value === 'object' && value !== null) return messageOf(value as Json, revision)
  return value
}
