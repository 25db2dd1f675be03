import { expect, test } from 'vitest'
import type { AccessAttributes } from '../access/authorizer.ts'
import { Fairness } from './fairness.ts'

const asked = (name: string, more: Partial<AccessAttributes> = {}): AccessAttributes => ({
  user: { name, groups: ['system:authenticated'] },
  verb: 'get',
  isResource: true,
  path: '',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: '',
  name: '',
  ...more,
})

/** A request that lasts until it is told to end. */
const held = (): { run: () => Promise<void>; end: () => void } => {
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { run: () => ended, end: () => end() }
}

test('users who wait take turns, however many requests one of them sends', async () => {
  const fairness = new Fairness(1)
  const first = held()
  const order: string[] = []
  const running = [fairness.run(asked('a'), first.run)]
  for (const user of ['a', 'a', 'a', 'b', 'c']) {
    running.push(
      fairness.run(asked(user), () => {
        order.push(user)
      }),
    )
  }
  first.end()
  await Promise.all(running)
  expect(order).toEqual(['a', 'b', 'c', 'a', 'a'])
})

test('who finds the queue full is told to come again; masters, watches and streams never wait', async () => {
  const fairness = new Fairness(1)
  const first = held()
  const all = [fairness.run(asked('a'), first.run)]
  for (let count = 0; count < 64; count++) all.push(fairness.run(asked('a'), () => undefined))
  await expect(fairness.run(asked('a'), () => undefined)).rejects.toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    details: { retryAfterSeconds: 1 },
  })
  const master = { name: 'a', groups: ['system:masters'] }
  const done: string[] = []
  for (const more of [{ user: master }, { verb: 'watch' }, { subresource: 'exec' }]) {
    await fairness.run(asked('a', more), () => {
      done.push('done')
    })
  }
  expect(done).toHaveLength(3)
  first.end()
  await Promise.all(all)
})
