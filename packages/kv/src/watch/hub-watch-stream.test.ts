// What a stream answers, in etcd's order and words.
import { expect, test } from 'vitest'
import { MvccStore } from '../mvcc/store.ts'
import { bytes, MapTables, PlainLeases, putRequest } from '../mvcc/testing/fixtures.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import { fragmentSizeBytesMax, HubWatchStream } from './hub-watch-stream.ts'
import { WatchHub } from './watch-hub.ts'

class Fixture {
  readonly store = new MvccStore(new MapTables(), new PlainLeases())
  readonly responses: WatchResponse[] = []
  readonly deferred: (() => void)[] = []
  hasRoom = true
  readonly hub = new WatchHub(
    this.store,
    () => undefined,
    (callback) => this.deferred.push(callback),
  )
  readonly stream = new HubWatchStream(
    this.hub,
    {
      send: (response) => {
        this.responses.push(response)
        return this.hasRoom
      },
    },
    { header: (revision) => ({ clusterId: 1n, memberId: 2n, revision, raftTerm: 3 }) },
  )

  put(...pairs: [string, string][]): void {
    this.store.beginWrite()
    for (const [key, value] of pairs) this.store.put(putRequest(key, value))
    this.hub.notify(this.store.endWrite())
  }

  compact(revision: number): void {
    this.store.compact(revision)
    this.hub.compacted()
  }

  /** The fields that differ from an empty response, of all responses since the last call. */
  take(): object[] {
    for (let next = this.deferred.shift(); next !== undefined; next = this.deferred.shift()) next()
    return this.responses.splice(0).map(({ header, watchId, events, ...flags }) => {
      const set = Object.fromEntries(Object.entries(flags).filter(([, value]) => Boolean(value)))
      return { revision: header.revision, watchId, ...set, ...(events.length > 0 ? { events: events.length } : {}) } // prettier-ignore
    })
  }
}

function create(more: Partial<WatchCreateRequest> = {}): WatchCreateRequest {
  const none = { rangeEnd: bytes(''), filters: [], prevKv: false, fragment: false }
  return { key: bytes('a'), startRevision: 0, progressNotify: false, watchId: 0, ...none, ...more }
}

test('ids start at 0, skip those in use, and a duplicate is refused', () => {
  const fixture = new Fixture()
  const { stream } = fixture
  stream.create(create())
  stream.create(create({ watchId: 1 }))
  stream.create(create())
  stream.create(create({ watchId: 1 }))
  const cancelReason = 'mvcc: duplicate watch ID provided on the WatchStream'
  expect(fixture.take()).toEqual([
    { revision: 1, watchId: 0, created: true },
    { revision: 1, watchId: 1, created: true },
    { revision: 1, watchId: 2, created: true },
    { revision: 1, watchId: -1, created: true, canceled: true, cancelReason },
  ])
})

test("an empty range and a negative revision are refused with etcd's words", () => {
  const fixture = new Fixture()
  fixture.stream.create(create({ key: bytes('b'), rangeEnd: bytes('a') }))
  fixture.stream.create(create({ startRevision: -1 }))
  const refused = { revision: 1, watchId: -1, created: true, canceled: true }
  expect(fixture.take()).toEqual([
    { ...refused, cancelReason: 'mvcc: watcher range is empty' },
    { ...refused, cancelReason: 'etcdserver: mvcc: required revision has been compacted' },
  ])
})

test('a compacted start is created first and canceled after that, with revision 0', () => {
  const fixture = new Fixture()
  for (let i = 0; i < 5; i++) fixture.put(['a', String(i)])
  fixture.compact(5)
  fixture.stream.create(create({ startRevision: 2 }))
  expect(fixture.take()).toEqual([
    { revision: 6, watchId: 0, created: true },
    { revision: 0, watchId: 0, canceled: true, compactRevision: 5 },
  ])
  // As etcd does it: the client has not let go of the id yet.
  fixture.stream.cancel(0)
  fixture.stream.cancel(0)
  expect(fixture.take()).toEqual([{ revision: 6, watchId: 0, canceled: true }])
})

test('a cancel is answered once, an unknown id not at all', () => {
  const fixture = new Fixture()
  fixture.stream.create(create())
  fixture.stream.cancel(0)
  fixture.stream.cancel(0)
  fixture.stream.cancel(7)
  fixture.put(['a', '1'])
  expect(fixture.take()).toEqual([
    { revision: 1, watchId: 0, created: true },
    { revision: 1, watchId: 0, canceled: true },
  ])
})

test('a watcher of the future hears nothing before its revision, not even progress', () => {
  const fixture = new Fixture()
  fixture.stream.create(create({ startRevision: 4, progressNotify: true }))
  fixture.take()
  fixture.put(['a', '2'])
  fixture.put(['a', '3'])
  fixture.stream.requestProgress()
  fixture.hub.notifyProgress()
  expect(fixture.take()).toEqual([])
  fixture.put(['a', '4'])
  expect(fixture.take()).toEqual([{ revision: 4, watchId: 0, events: 1 }])
})

test('progress is told once for the whole stream, and not before a slow watcher has caught up', () => {
  const fixture = new Fixture()
  fixture.stream.create(create())
  fixture.take()
  fixture.hasRoom = false
  fixture.put(['a', '1'])
  fixture.put(['a', '2'])
  fixture.stream.requestProgress()
  expect(fixture.take()).toEqual([{ revision: 2, watchId: 0, events: 1 }])
  fixture.hasRoom = true
  fixture.stream.resume()
  expect(fixture.take()).toEqual([
    { revision: 3, watchId: 0, events: 1 },
    { revision: 3, watchId: -1 },
  ])
})

test('progress notifications skip a round in which events were sent', () => {
  const fixture = new Fixture()
  fixture.stream.create(create({ progressNotify: true }))
  fixture.put(['a', '1'])
  fixture.take()
  fixture.hub.notifyProgress()
  expect(fixture.take()).toEqual([])
  fixture.hub.notifyProgress()
  expect(fixture.take()).toEqual([{ revision: 2, watchId: 0 }])
})

test('a large response is split only for a watcher that asked for fragments', () => {
  const fixture = new Fixture()
  const everything = { key: bytes('\0'), rangeEnd: bytes('\0') }
  fixture.stream.create(create({ ...everything, fragment: true }))
  fixture.stream.create(create(everything))
  fixture.take()
  const value = 'v'.repeat(fragmentSizeBytesMax / 2 - 100)
  fixture.put(['a', value], ['b', value], ['c', value])
  const sent = fixture.take()
  expect(sent).toHaveLength(3)
  expect(sent).toEqual(
    expect.arrayContaining([
      { revision: 2, watchId: 0, events: 2, fragment: true },
      { revision: 2, watchId: 0, events: 1 },
      { revision: 2, watchId: 1, events: 3 },
    ]),
  )
})
