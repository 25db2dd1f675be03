// Where Balsa asks for more rights than etcd 3.4, as later versions do (packages/kv/docs/auth.md): such a request goes to Balsa first, and
// not to etcd if it is refused, so that both stay the same.
import type { Operation } from './operation.ts'
import type { Reply } from './grpc-session.ts'

type Call = Extract<Operation, { type: 'call' }>

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

export function isGuarded({ method, body }: Call): boolean {
  return guardedMethods.has(method) || (method === 'KV/Txn' && hasNestedTxn(body))
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
