// Where Balsa asks for more rights than etcd 3.4, as later versions do (packages/kv/docs/auth.md): such a request goes to Balsa first, and
// not to etcd if it is refused, so that both stay the same.
import type { Operation } from './operation.ts'
import type { Reply } from './grpc-session.ts'

type Call = Extract<Operation, { type: 'call' }>

/** What a run of the comparison says of itself. */
export const stricterWhere: readonly string[] = [
  'what Balsa refuses for missing rights and 3.4 lets everybody do: compaction, grants and keys of leases, alarms, hashes, MoveLeader, what is in nested txns, old values that a put in a txn shows',
  'ranges and watches from a key on whose reader may read that key alone',
  'permissions while an alarm is on, when 3.4 lets everybody do all that the alarm does not stop',
  'tokens after permissions were switched off, which 3.4 refuses: streams with one are closed then',
  'deletes of the compacted revision itself, which 3.4 loses: a watch from there begins one later',
  'hashes while a compaction goes on, which in 3.4 depend on how far it got if no key is left: they wait for its end',
  'roles of more than twelve permissions, which an unstable sort of 3.4 puts in order',
]

/** Of a role: 3.4 sorts so many by insertion, which keeps what is equal in order. */
export const permissionsMax = 12

/** Open to everybody in 3.4, or refused with other words. */
const guardedMethods = new Set([
  'KV/Compact',
  'Lease/LeaseGrant',
  'Lease/LeaseRevoke',
  'Lease/LeaseTimeToLive',
  'Lease/LeaseLeases',
  'Maintenance/Alarm',
  'Maintenance/Defragment',
  'Maintenance/Hash',
  'Maintenance/HashKV',
  'Maintenance/MoveLeader',
])
const refusals = new Set([
  'etcdserver: user name is empty',
  'etcdserver: permission denied',
  'etcdserver: invalid auth token',
])

export function isGuardedMethod(method: string): boolean {
  return guardedMethods.has(method)
}

export function isGuarded({ method, body }: Call): boolean {
  if (isGuardedMethod(method)) return true
  if (method === 'KV/Range') return isOpenByEmptyEnd(body)
  return method === 'KV/Txn' && (hasNestedTxn(body) || hasEmptyEnd(body) || hasPrevKvPut(body))
}

/** To 3.4 it is everything from key on, of which it looks at the first key alone. */
function isOpenByEmptyEnd(request: unknown): boolean {
  return (request as Call['body'] | undefined)?.['range_end'] === ''
}

/** 3.4 shows the old value in a txn to who may only write. */
function hasPrevKvPut(txn: Call['body']): boolean {
  const operations = [txn['success'], txn['failure']].flat() as (Call['body'] | undefined)[]
  return operations.some((operation) => {
    const put = operation?.['request_put'] as Call['body'] | undefined
    return put?.['prev_kv'] === true
  })
}

function hasEmptyEnd(txn: Call['body']): boolean {
  const operations = [txn['success'], txn['failure']].flat() as (Call['body'] | undefined)[]
  const ranges = operations.map((operation) => operation?.['request_range'])
  return [...ranges, ...[txn['compare']].flat()].some(isOpenByEmptyEnd)
}

export function isForRights({ text }: Reply): boolean {
  return refusals.has(text)
}

/** Of a watch. */
export function isRefusedForRights(reason: string): boolean {
  return reason.includes('permission denied')
}

/** 3.4 looks at the first key alone of a watch that has no end. */
export function isWiderWatch({ body, as }: Extract<Operation, { type: 'watch' }>): boolean {
  return body['range_end'] === '\0' && as !== undefined && as !== 'root'
}

function hasNestedTxn(txn: Call['body']): boolean {
  const operations = [txn['success'], txn['failure']].flat() as (Call['body'] | undefined)[]
  return operations.some((operation) => operation?.['request_txn'] !== undefined)
}
