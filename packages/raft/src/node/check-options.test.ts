import { expect, test } from 'vitest'
import type { Membership, NodeId } from '../core/types.ts'
import { MemoryNetwork } from '../transport/memory-transport.ts'
import { checkOptions } from './check-options.ts'
import { ListMachine } from './testing/list-machine.ts'
import { votersOnly } from './testing/test-members.ts'

const id = 'a' as NodeId
const good = {
  id,
  clusterId: 'c',
  initialMembership: votersOnly([id]),
  peers: new Map<NodeId, string>(),
  directory: '/nowhere',
  stateMachine: new ListMachine(),
  transport: new MemoryNetwork().transport(id),
}

interface BadOptions {
  readonly id?: NodeId
  readonly initialMembership?: Membership
  readonly heartbeatIntervalMs?: number
  readonly electionPriority?: number
  readonly leaseReads?: { readonly maxDriftRate: number }
}

test.each<[string, BadOptions]>([
  ['Member id', { id: 'a b' as NodeId }],
  ['Member id', { id: '' as NodeId }],
  ['initialMembership', { initialMembership: votersOnly([]) }],
  ['heartbeatIntervalMs', { heartbeatIntervalMs: 0 }],
  ['heartbeatIntervalMs', { heartbeatIntervalMs: 501 }],
  ['electionPriority', { electionPriority: -1 }],
  ['electionPriority', { electionPriority: 0.5 }],
  ['electionPriority', { electionPriority: 2 ** 32 }],
  ['leaseReads.maxDriftRate', { leaseReads: { maxDriftRate: 0.6 } }],
  ['leaseReads.maxDriftRate', { leaseReads: { maxDriftRate: Number.NaN } }],
])('options with a bad %s are refused by name (%o)', (name, bad) => {
  expect(() => {
    checkOptions(good)
  }).not.toThrow()
  expect(() => {
    checkOptions({ ...good, ...bad })
  }).toThrow(name)
})
