import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { KvError } from '../errors.ts'
import { encodeEvent, encodeKeyValue, eventType } from '../proto/index.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import { WatchClient } from './watch-client.ts'
import { AttemptError } from './wire.ts'
import type { WatchChannelEvents } from './wire.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A wire whose server is the test. */
class FakeWire {
  opened = 0
  isDown = false
  readonly created: WatchCreateRequest[] = []
  readonly cancelled: number[] = []
  progressAsked = 0
  events: WatchChannelEvents | undefined

  openWatchChannel(events: WatchChannelEvents): ReturnType<WatchClientWire> {
    this.opened++
    if (this.isDown) return Promise.reject(new AttemptError(new KvError('CONNECTION_LOST'), false))
    this.events = events
    return Promise.resolve({
      create: (request) => void this.created.push(request),
      cancel: (watchId) => void this.cancelled.push(watchId),
      progress: () => void this.progressAsked++,
      close: () => undefined,
    })
  }

  answer(fields: Partial<WatchResponse>, revision = 10): void {
    this.events?.response({
      header: { clusterId: 1n, memberId: 1n, revision, raftTerm: 1 },
      watchId: 0,
      created: false,
      canceled: false,
      compactRevision: 0,
      cancelReason: '',
      fragment: false,
      events: [],
      ...fields,
    })
  }
}
type WatchClientWire = ConstructorParameters<typeof WatchClient>[0]['openWatchChannel']

const put = (modRevision: number): Uint8Array => {
  const bytes = new Uint8Array([97])
  const pair = { key: bytes, value: bytes, createRevision: 1, modRevision, version: 1, lease: 0n }
  return encodeEvent(eventType.put, encodeKeyValue(pair), undefined)
}
const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

test('a resumed watch asks for what it has not seen, and drops what a server sends again', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const revisions: number[] = []
  client.watch(
    { key: 'a' },
    { batch: ({ events }) => revisions.push(...events.map(({ kv }) => kv.modRevision)) },
  )
  await turn()
  wire.answer({ watchId: 1, created: true }, 10)
  wire.answer({ watchId: 1, events: [put(11), put(12)] }, 12)
  wire.events?.lost()
  await turn()
  expect(wire.created.map(({ startRevision }) => startRevision)).toEqual([0, 13])
  wire.answer({ watchId: 1, created: true }, 14)
  wire.answer({ watchId: 1, events: [put(12), put(13)] }, 14)
  wire.answer({ watchId: 1, events: [put(13)] }, 14)
  expect(revisions).toEqual([11, 12, 13])
})

test('a watch that stood while nothing happened resumes from where it stood', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  client.watch({ key: 'a' }, { batch: () => undefined })
  await turn()
  wire.answer({ watchId: 1, created: true }, 10)
  wire.answer({ watchId: 1 }, 20)
  wire.events?.lost()
  await turn()
  expect(wire.created.at(-1)?.startRevision).toBe(21)
})

test('the header of events that are behind it is not taken for what was seen', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const seen: number[] = []
  client.watch({ key: 'a', startRevision: 5 }, { batch: ({ revision }) => seen.push(revision) })
  await turn()
  wire.answer({ watchId: 1, created: true }, 100)
  wire.answer({ watchId: 1, events: [put(7)] }, 100)
  expect(seen).toEqual([7])
  wire.events?.lost()
  await turn()
  expect(wire.created.at(-1)?.startRevision).toBe(8)
})

test('a refusal without an id belongs to the oldest watch that waits', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const ended: string[] = []
  for (const key of ['a', 'b']) {
    const note = (error: Error | undefined): number => ended.push(`${key}: ${error?.message}`)
    client.watch({ key }, { batch: () => undefined, ended: note })
  }
  await turn()
  wire.answer({ watchId: 1, created: true })
  wire.answer({ watchId: -1, created: true, canceled: true, cancelReason: 'not allowed' })
  expect(ended).toEqual(['b: not allowed'])
})

test('a handler that throws ends its own watch with what it threw', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const ended: unknown[] = []
  const other: number[] = []
  const failure = new Error('a bug of the program')
  const batch = (): void => {
    throw failure
  }
  client.watch({ key: 'a' }, { batch, ended: (error) => ended.push(error) })
  client.watch({ key: 'a' }, { batch: ({ revision }) => other.push(revision) })
  await turn()
  for (const watchId of [1, 2]) wire.answer({ watchId, created: true })
  for (const watchId of [1, 2]) wire.answer({ watchId, events: [put(11)] })
  expect([ended, wire.cancelled, other]).toEqual([[failure], [1], [11]])
})

test('while no server stands it tries with growing pauses, and not at all without a watch', async () => {
  const wire = new FakeWire()
  wire.isDown = true
  const client = new WatchClient(wire)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(wire.opened).toBe(0)
  const watch = client.watch({ key: 'a' }, { batch: () => undefined })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(wire.opened).toBeGreaterThan(50)
  expect(wire.opened).toBeLessThan(150)
  watch.close()
  await vi.advanceTimersByTimeAsync(2000)
  const { opened } = wire
  await vi.advanceTimersByTimeAsync(60_000)
  expect(wire.opened).toBe(opened)
})

test('a server that keeps sending what cannot be read ends the watch with one typed error', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const ended: unknown[] = []
  let batches = 0
  client.watch({ key: 'a' }, { batch: () => void batches++, ended: (error) => ended.push(error) })
  await turn()
  const malformed = new KvError('MALFORMED')
  for (let round = 1; round <= 6; round++) {
    wire.answer({ watchId: round, created: true })
    // What was good before it counts: only streams in a row that bring nothing are too many.
    if (round === 2) wire.answer({ watchId: 1, events: [put(11)] }, 11)
    expect(ended).toEqual([])
    wire.events?.lost(malformed)
    await vi.advanceTimersByTimeAsync(10_000)
  }
  expect(ended).toEqual([malformed])
  expect({ batches, opened: wire.opened }).toEqual({ batches: 1, opened: 6 })
})

test('how far a watch is, is asked again on a new stream, and answered to who asked alone', async () => {
  const wire = new FakeWire()
  const client = new WatchClient(wire)
  const told: string[] = []
  const watchAs = (name: string): ReturnType<WatchClient['watch']> =>
    client.watch({ key: name }, { batch: ({ revision }) => void told.push(`${name} ${revision}`) })
  const a = watchAs('a')
  watchAs('b')
  a.requestProgress()
  await turn()
  wire.answer({ watchId: 1, created: true }, 10)
  wire.answer({ watchId: 2, created: true }, 10)
  expect(wire.progressAsked).toBe(1)
  wire.events?.lost()
  await turn()
  // Of the new stream before the watch stands there: it says nothing of it.
  wire.answer({ watchId: -1 }, 15)
  wire.answer({ watchId: 1, created: true }, 20)
  wire.answer({ watchId: 2, created: true }, 20)
  expect(wire.progressAsked).toBe(2)
  wire.answer({ watchId: -1 }, 20)
  wire.answer({ watchId: -1 }, 21)
  expect(told).toEqual(['a 20'])
  a.close()
  a.requestProgress()
  expect(wire.progressAsked).toBe(2)
})
