// A short piece of `npm run compat`: what real etcd answers is what Balsa answers.
import { expect, test } from 'vitest'
import { drawOperations } from './compat/operations.ts'
import { startPair } from './compat/pair.ts'
import { Run } from './compat/run-operations.ts'
import { shrink } from './compat/shrink.ts'
import { missing } from './tools.ts'
import type { Operation } from './compat/operation.ts'

const count = 4_000

test.skipIf(missing('etcd')).each([
  { seed: 1, about: 'users and roles among them' },
  { seed: 2, about: 'nobody but one user' },
])(
  'seed $seed: requests to real etcd and to Balsa, $about',
  { timeout: 300_000 },
  async ({ seed }) => {
    await using pair = await startPair()
    const difference = await new Run(pair.servers).all(drawOperations({ seed, count, without: [] }))
    expect(difference).toBeUndefined()
  },
)

test('a list that shows a difference is made as short as it can be', async () => {
  const put = (key: string): Operation => ({ type: 'call', method: 'KV/Put', body: { key } })
  const operations = Array.from({ length: 40 }, (_, i) => put(String(i)))
  // It takes both, in this order.
  const attempt = async (some: readonly Operation[]): ReturnType<Run['all']> => {
    const first = some.indexOf(operations[7] ?? put(''))
    const index = some.indexOf(operations[31] ?? put(''))
    return first >= 0 && index > first ? { index, operation: put('31'), seen: {} } : undefined
  }
  const found = await attempt(operations)
  if (found === undefined) throw new Error('the whole list shows it')
  const shrunk = await shrink(operations, found, attempt, 10_000)
  expect(shrunk.operations).toEqual([operations[7], operations[31]])
})
