// Draws what a server must refuse, each in its own words. Left out is what 3.4 dies of: a sort target that is not known, a permission that is not there.
import type { SeededRandom } from '@balsa/raft/simulation'
import { pick } from './kv-bodies.ts'
import { call, type Json, type Operation } from './operation.ts'

export function drawInvalid(random: SeededRandom): Operation {
  return pick(random, invalid)
}

const invalid: readonly Operation[] = [
  call('KV/Put', { key: 'a', value: 'x', ignore_value: true }),
  call('KV/Put', { key: 'a', value: 'x', lease: 999 }),
  call('KV/Put', { key: 'a', value: 'x', lease: 101, ignore_lease: true }),
  call('KV/Put', { key: 'nowhere', ignore_value: true }),
  call('KV/Range', { key: 'a', limit: -1 }),
  call('KV/Range', { key: 'a', revision: -5 }),
  call('KV/Range', {}),
  call('KV/DeleteRange', {}),
  call('KV/Txn', {}),
  call('KV/Txn', { success: [{}] }),
  call('KV/Txn', { compare: [{ key: '', target: 'VERSION' }] }),
  call('KV/Txn', { success: twice({ request_put: { key: 'a', value: '1' } }) }),
  call('KV/Txn', { success: twice({ request_delete_range: { key: 'nowhere', range_end: 'o' } }) }),
  call('KV/Txn', {
    success: Array.from({ length: 129 }, (_, i) => ({ request_range: { key: `k${i}` } })),
  }),
  call('KV/Txn', {
    compare: Array.from({ length: 129 }, (_, i) => ({ key: `k${i}`, target: 'VERSION' })),
  }),
  call('KV/Txn', {
    success: [
      { request_delete_range: { key: 'a', range_end: 'c' } },
      { request_txn: { failure: [{ request_put: { key: 'b', value: '1' } }] } },
    ],
  }),
  call('KV/Txn', {
    success: [
      { request_txn: { success: [{ request_put: { key: 'b', value: '1' } }] } },
      { request_txn: { failure: [{ request_put: { key: 'b', value: '2' } }] } },
    ],
  }),
  call('KV/Compact', { revision: -1 }),
  call('KV/Compact', { revision: 0 }),
  call('KV/Compact', { revision: { back: -1_000 } }),
  call('Lease/LeaseGrant', { ID: 101, TTL: 9_000_000_001 }),
  call('Lease/LeaseRevoke', { ID: 777 }),
  call('Lease/LeaseRevoke', {}),
  call('Lease/LeaseTimeToLive', { ID: 777, keys: true }),
  call('Lease/LeaseKeepAlive', { ID: 777 }),
  call('Maintenance/HashKV', { revision: { back: -1_000 } }),
  call('Maintenance/HashKV', { revision: -1 }),
  call('Maintenance/Alarm', { action: 'DEACTIVATE', alarm: 'NOSPACE' }),
  call('Maintenance/MoveLeader', { targetID: 1 }),
  call('Cluster/MemberRemove', { ID: 1 }),
  call('Cluster/MemberUpdate', { ID: 1, peerURLs: ['http://127.0.0.1:1'] }),
  call('Cluster/MemberPromote', { ID: 1 }),
  call('Cluster/MemberAdd', { peerURLs: ['no url'] }),
  call('Cluster/MemberAdd', { peerURLs: [] }),
]

function twice(op: Json): readonly Json[] {
  return [op, op]
}
