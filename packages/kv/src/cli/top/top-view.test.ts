import { expect, test } from 'vitest'
import { MemoryBackend } from '../../backend/memory-backend.ts'
import { EmbeddedKv } from '../../member/embedded-kv.ts'
import { openTestMember } from '../../member/testing/test-member.ts'
import { keyGroups } from './key-groups.ts'
import { sumMetrics } from './metrics-text.ts'
import type { MemberSample, Sample } from './sample.ts'
import { topLines } from './top-view.ts'

const status = {
  clusterId: 5n,
  memberId: 1n,
  version: '3.6.1',
  dbSizeBytes: 20_000,
  dbSizeInUseBytes: 20_000,
  leader: 1n,
  isLearner: false,
  raftTerm: 2,
  raftIndex: 9,
  raftAppliedIndex: 9,
  revision: 7,
  errors: [],
}
const member = (fields: Partial<MemberSample>): MemberSample => ({
  endpoint: '127.0.0.1:2379',
  status,
  name: 'a',
  isLearner: false,
  latencyMs: 1.25,
  metrics: { keys: 3, watchers: 2, slowWatchers: 0, events: 10, applied: 100 },
  problem: undefined,
  ...fields,
})

test('members are a line each, with rates by the look before, and one that is down says why', () => {
  const down = { endpoint: 'b:1', name: '', status: undefined, metrics: {}, problem: 'gone' }
  const now: Sample = {
    atMs: 3000,
    members: [member({}), member(down)],
    readLatencyMs: 2,
    leases: 4,
    keys: 30,
    groups: Array.from({ length: 16 }, (_, i) => ({ name: `${i}/`, keys: i === 0 ? 10 : 1 })),
  }
  const metrics = { events: 4, applied: 120 }
  const lines = topLines(now, { ...now, atMs: 1000, members: [member({ metrics })] })
  expect(lines.slice(0, 5)).toEqual([
    'revision 7, term 2, keys 30, leases 4, a read takes 2.0 ms',
    '',
    'ENDPOINT        NAME    ROLE  VERSION  DB SIZE  KEYS  WATCHERS  SLOW  EVENTS/S  APPLIED/S  ANSWERS IN',
    '127.0.0.1:2379     a  leader    3.6.1    20 kB     3         2     0         3          0      1.3 ms',
    'b:1                -    down        -        -     -         -     -         -          -           -',
  ])
  expect(lines[5]).toBe('b:1: gone')
  expect(lines.slice(7, 9)).toEqual(['PREFIX  KEYS', '0/        10'])
  expect(lines.at(-1)).toBe('others     6')
})

test('keys are counted below each first slash, or below a prefix', async () => {
  const { core } = await openTestMember({ backend: new MemoryBackend() })
  const kv = new EmbeddedKv(core)
  const keys = ['a', 'a/1', 'a/2/x', 'b/1', '/r/pods/1', '/r/pods/2', '/s', '\u{10ffff}/1']
  for (const key of keys) await kv.put(key, '')
  const whole = await keyGroups(kv, '')
  expect(whole.total).toBe(keys.length)
  expect(Object.fromEntries(whole.groups.map(({ name, keys: count }) => [name, count]))).toEqual({
    '/r/': 2,
    '/s': 1,
    a: 1,
    'a/': 2,
    'b/': 1,
    '\u{10ffff}/': 1,
  })
  expect((await keyGroups(kv, '/r/')).groups).toEqual([{ name: '/r/pods/', keys: 2 }])
})

test('metrics of one name are summed over their labels; all else is passed over', () => {
  const text = '# HELP a x\na 1\nb{x="1"} 2\nb{x="} 3"} 3e0\nc NaN\nd 4\n'
  expect([...sumMetrics(text, new Set(['a', 'b', 'c']))]).toEqual([
    ['a', 1],
    ['b', 5],
  ])
})
