import { expect, test } from 'vitest'
import { nodeId } from '../core/testing/test-cluster.ts'
import { Calm } from './calm.ts'

const rest = { term: 3, leader: nodeId('a'), lastIndex: 7 }

function member(status: typeof rest): {
  id: ReturnType<typeof nodeId>
  lifeNumber: number
  node: { status(): typeof rest }
} {
  return { id: nodeId('a'), lifeNumber: 1, node: { status: () => status } }
}

test('a cluster where nothing happens is at rest', () => {
  expect(new Calm([member(rest)]).disturbance()).toBeUndefined()
})

test.each([
  ['a new term', { ...rest, term: 4 }],
  ['another leader', { ...rest, leader: nodeId('b') }],
  ['an entry', { ...rest, lastIndex: 8 }],
])('%s disturbs the rest of a cluster', (_, after) => {
  let status = rest
  const observed = { ...member(rest), node: { status: () => status } }
  const calm = new Calm([observed])
  status = after
  expect(calm.disturbance()).toMatch(/^a did not rest/)
})

test('a crash disturbs the rest of a cluster', () => {
  const observed = member(rest)
  const calm = new Calm([observed])
  observed.lifeNumber++
  expect(calm.disturbance()).toBeDefined()
})
