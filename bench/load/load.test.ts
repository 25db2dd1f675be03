// The generator must notice what goes wrong, or its figures mean nothing.
import { afterEach, expect, test } from 'vitest'
import { listenClients } from '../../packages/kv/src/api/client-listener.ts'
import type { ClientListener } from '../../packages/kv/src/api/client-listener.ts'
import { FakeMember } from '../../packages/kv/src/api/testing/fake-member.ts'
import { KvError } from '../../packages/kv/src/errors.ts'
import { FrameCutter, frame, MessageCutter, messageFrame } from './grpc-frames.ts'
import { Histogram } from './histogram.ts'
import type { LoadPlan } from './load-plan.ts'
import { runGrpcLoad } from './run-grpc-load.ts'
import { runNativeLoad } from './run-native-load.ts'
import { runWatchLoad } from './run-watch-load.ts'

const listeners: ClientListener[] = []
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close()
})

async function listen(member = new FakeMember()): Promise<string> {
  const listener = await listenClients({ member, urls: ['http://127.0.0.1:0'] })
  listeners.push(listener)
  return listener.urls[0] ?? ''
}

const planOf = (url: string, operation: 'put' | 'range', count: number): LoadPlan => ({
  wire: 'grpc',
  operation,
  url,
  connections: 4,
  inFlight: 40,
  count,
  durationMs: 20_000,
  keyPrefix: 'k/',
  keyCount: 500,
  firstKey: 0,
  valueSizeBytes: 256,
})

test.each([
  ['grpc', runGrpcLoad],
  ['native', runNativeLoad],
] as const)('%s: every put is counted once and every key is read back', async (wire, run) => {
  const url = await listen()
  const puts = await run({ ...planOf(url, 'put', 500), wire })
  expect([puts.count, puts.failures]).toEqual([500, {}])
  const ranges = await run({ ...planOf(url, 'range', 1000), wire })
  expect([ranges.count, ranges.failures]).toEqual([1000, {}])
})

test('a key that is missing is a failure', async () => {
  const { failures } = await runGrpcLoad(planOf(await listen(), 'range', 200))
  expect(failures['a key that was put is missing']).toBeGreaterThan(0)
})

test('a refused call is a failure with its status, and not counted', async () => {
  class RefusingMember extends FakeMember {
    override put(...[, done]: Parameters<FakeMember['put']>): void {
      done(new KvError('NO_LEADER'), undefined)
    }
  }
  const result = await runGrpcLoad(planOf(await listen(new RefusingMember()), 'put', 100))
  expect([result.count, result.failures]).toEqual([0, { 'grpc-status 14': 100 }])
})

test('watchers count every event', async () => {
  const result = await runWatchLoad({
    wire: 'watch',
    url: await listen(),
    connections: 2,
    watchers: 20,
    prefix: 'w/',
    puts: 50,
    putsInFlight: 4,
    valueSizeBytes: 100,
  })
  expect([result.count, result.failures]).toEqual([1000, {}])
})

test('frames and messages are found whatever the chunks', () => {
  const bytes = Buffer.concat([
    frame(4, 0, 0, Buffer.from('settings')),
    messageFrame(1, Buffer.from('first')),
    messageFrame(3, Buffer.from('second'), 1),
  ])
  for (let size = 1; size <= bytes.length; size++) {
    const frames: string[] = []
    const messages: string[] = []
    const cutter = new FrameCutter()
    const message = new MessageCutter()
    for (let at = 0; at < bytes.length; at += size) {
      cutter.push(bytes.subarray(at, at + size), (type, flags, id, payload) => {
        frames.push(`${type} ${flags} ${id}`)
        if (type === 0) message.push(payload, (found) => void messages.push(found.toString()))
      })
    }
    expect(frames).toEqual(['4 0 0', '0 0 1', '0 1 3'])
    expect(messages).toEqual(['first', 'second'])
  }
})

test('percentiles are right to two percent', () => {
  const histogram = new Histogram()
  for (let ms = 1; ms <= 1000; ms++) histogram.add(ms * 1000)
  expect(histogram.meanMs()).toBeCloseTo(500.5)
  expect(Math.abs(histogram.percentileMs(0.5) / 500 - 1)).toBeLessThan(0.02)
  expect(Math.abs(histogram.percentileMs(0.99) / 990 - 1)).toBeLessThan(0.02)
})
