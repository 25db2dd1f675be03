import { expect, test } from 'vitest'
import { runFailover } from '../bench/failover-run.ts'

test('no acknowledged key is lost on any member when the leader is killed twice under 16 writers', async () => {
  const result = await runFailover({ keys: 4000, kills: 2, writers: 16, downMs: 300 })
  expect(result.acknowledged).toBeGreaterThanOrEqual(4000)
  expect(result.gapsMs).toHaveLength(2)
  expect(result.missing).toEqual([0, 0, 0])
  expect(new Set(result.hashes).size).toBe(1)
}, 120_000)
