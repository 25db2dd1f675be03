// The promises of watches under random writes, compactions, slow wires, cancels and snapshots: every watcher sees exactly the
// events of its range, in order, once, whole revisions at a time, and no bookmark runs ahead.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change } from '../mvcc/change.ts'
import { Compaction } from '../mvcc/compaction.ts'
import { keyRange } from '../mvcc/key-range.ts'
import { parseRowKey, rowKey } from '../mvcc/revision.ts'
import { MvccStore } from '../mvcc/store.ts'
import { bytes, MapTables, PlainLeases, putRequest, text } from '../mvcc/testing/fixtures.ts'
import { inRange } from '../mvcc/testing/history-model.ts'
import { decodeEvent, decodeKeyValue } from '../proto/index.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import { HubWatchStream } from './hub-watch-stream.ts'
import { WatchEvent } from './watch-event.ts'
import { WatchHub, type HistoryBatch } from './watch-hub.ts'

const seed = Number(process.env['SEED'] ?? 20261121)
const limits = {
  recentSizeBytesMax: 1000,
  catchUpWatchersMax: 3,
  catchUpRevisionsMax: 3,
  catchUpSizeBytesMax: 60,
}

/** What happened, for the comparison: 'key@revision' with a minus for a delete, and the value before. */
interface Told {
  readonly revision: number
  readonly key: string
  readonly deleted: boolean
  readonly prev: string | undefined
}

class Watched {
  readonly request: WatchCreateRequest
  readonly start: number
  told: Told[] = []
  bookmark = 0
  end: 'canceled' | 'compacted' | 'canceled after compaction' | undefined
  endRevision = 0
  compactRevision = 0

  constructor(request: WatchCreateRequest, start: number) {
    this.request = request
    this.start = start
  }
}

class Client {
  readonly stream: HubWatchStream
  readonly watched = new Map<number, Watched>()
  readonly created: Watched[] = []
  progress: number[] = []
  credit = 5
  isFull = false

  constructor(hub: WatchHub) {
    this.stream = new HubWatchStream(
      hub,
      { send: (response) => this.#receive(response) },
      {
        header: (revision) => ({ clusterId: 1n, memberId: 1n, revision, raftTerm: 1 }),
      },
    )
  }

  create(request: WatchCreateRequest, revision: number): void {
    this.created.push(new Watched(request, request.startRevision || revision + 1))
    this.stream.create(request)
  }

  resume(credit: number): void {
    this.credit = credit
    this.isFull = false
    this.stream.resume()
  }

  #receive(response: WatchResponse): boolean {
    const { watchId, header, events } = response
    if (response.created) {
      const watched = this.created.shift()
      if (watched !== undefined && !response.canceled) this.watched.set(watchId, watched)
    } else if (watchId === -1) this.progress.push(header.revision)
    else {
      const watched = this.watched.get(watchId)
      const isEnd = response.canceled && response.compactRevision === 0
      // One that compaction ended can still be canceled.
      const isEndAgain = isEnd && watched?.end === 'compacted'
      if (watched === undefined || (watched.end !== undefined && !isEndAgain)) {
        throw new Error('unknown watcher')
      }
      if (isEndAgain) watched.end = 'canceled after compaction'
      else if (response.canceled) {
        watched.end = isEnd ? 'canceled' : 'compacted'
        watched.endRevision = header.revision
        watched.compactRevision = response.compactRevision
      } else {
        expect(this.isFull).toBe(false)
        this.#take(watched, events, header.revision)
      }
    }
    this.isFull ||= --this.credit <= 0
    return !this.isFull
  }

  #take(watched: Watched, events: readonly Uint8Array[], revision: number): void {
    const told = events.map(toldOf)
    const last = watched.told.at(-1)?.revision ?? 0
    // A revision is never split, and nothing comes at or before a bookmark.
    expect(told[0] === undefined || told[0].revision > Math.max(last, watched.bookmark)).toBe(true)
    expect(told.every((event) => event.revision <= revision)).toBe(true)
    watched.told.push(...told)
    watched.bookmark = revision
  }
}

function toldOf(encoded: Uint8Array): Told {
  const { type, kv, prevKv } = decodeEvent(encoded)
  const { key, modRevision } = decodeKeyValue(kv)
  const prev = prevKv === undefined ? undefined : text(decodeKeyValue(prevKv).value)
  return { revision: modRevision, key: text(key), deleted: type === 1, prev }
}

class World {
  tables = new MapTables()
  store = new MvccStore(this.tables, new PlainLeases())
  readonly deferred: (() => void)[] = []
  readonly history: Told[] = []
  readonly hub = new WatchHub(
    this.store,
    (from, to, done) => this.deferred.push(() => done(this.#read(from, to))),
    (callback) => this.deferred.push(callback),
    limits,
  )
  readonly clients = [new Client(this.hub), new Client(this.hub)]

  write(body: (store: MvccStore) => void): void {
    this.store.beginWrite()
    body(this.store)
    const changes = this.store.endWrite()
    this.#record(changes)
    this.hub.notify(changes)
  }

  compact(revision: number): void {
    if (revision <= this.store.compactRevision || revision > this.store.revision) return
    this.store.compact(revision)
    new Compaction(this.store.index, revision, (...row) => this.tables.delete(rowKey(...row))).step(
      Infinity,
    )
    this.hub.compacted()
  }

  /** As if a snapshot of a peer arrived that is some writes further on. */
  restore(writes: number): void {
    const ahead = this.#copy()
    for (let i = 0; i < writes; i++) {
      ahead.store.beginWrite()
      ahead.store.put(putRequest('a', `snapshot ${i}`))
      this.#record(ahead.store.endWrite(), ahead.store)
    }
    this.tables = ahead.tables
    this.store = ahead.store
    this.hub.restored(ahead.store)
  }

  run(): boolean {
    const next = this.deferred.shift()
    next?.()
    return next !== undefined
  }

  settle(): void {
    for (let round = 0; round < 200; round++) {
      for (const client of this.clients) client.resume(1e9)
      while (this.run());
    }
  }

  #copy(): { tables: MapTables; store: MvccStore } {
    const tables = new MapTables()
    const store = new MvccStore(tables, new PlainLeases())
    for (const [row, value] of this.tables.sorted()) {
      tables.put(row, value)
      store.loadRow(row, value)
    }
    store.loaded(this.store.revision, this.store.compactRevision)
    return { tables, store }
  }

  #record(changes: readonly Change[], store: MvccStore = this.store): void {
    for (const change of changes) {
      const before = store.readPrevious(change)
      const prev = before === undefined ? undefined : text(decodeKeyValue(before).value)
      this.history.push({ revision: change.main, key: change.key, deleted: change.deleted, prev })
    }
  }

  #read(from: number, to: number): HistoryBatch {
    const events: WatchEvent[] = []
    let through = to
    for (const [row, value] of this.tables.sorted()) {
      const position = parseRowKey(row)
      if (position === undefined || position.main < from || position.main > to) continue
      const last = events.at(-1)
      if (events.length >= 4 && last !== undefined && last.revision !== position.main) {
        through = last.revision
        break
      }
      const key = text(decodeKeyValue(value).key)
      const { store, tables } = this
      const { main } = position
      const change = { key, main, deleted: position.tombstone, row: value }
      events.push(
        new WatchEvent(change, () => {
          const record = store.index.get(key)
          const before = record?.mainAt(main - 1) ?? 0
          return before > 0 ? tables.get(rowKey(before, record?.subAt(main - 1) ?? 0)) : undefined
        }),
      )
    }
    return { events, through }
  }
}

const key = fc.constantFrom('a', 'b', 'c')
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: key.map(
      (k) => (w: World) => w.write((s) => void s.put(putRequest(k, String(s.revision)))),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('', '\0').map((end) => (w: World) => {
      w.write((s) => void s.delete(keyRange(bytes('b'), bytes(end)), false))
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constant((w: World) => {
      w.write((s) => {
        for (const k of ['a', 'b', 'c']) s.put(putRequest(k, `txn ${s.revision}`))
      })
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        client: fc.nat({ max: 1 }),
        key,
        end: fc.constantFrom('', '\0', 'c'),
        back: fc.integer({ min: -3, max: 12 }),
        prevKv: fc.boolean(),
        filters: fc.constantFrom([], [0], [1]),
      })
      .map((o) => (w: World) => {
        const startRevision = o.back === 0 ? 0 : Math.max(w.store.revision - o.back, 1)
        const flags = { progressNotify: false, watchId: 0, fragment: false, filters: o.filters }
        const range = { key: bytes(o.key), rangeEnd: bytes(o.end) }
        const request = { ...flags, ...range, startRevision, prevKv: o.prevKv }
        w.clients[o.client]?.create(request, w.store.revision)
      }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat({ max: 1 }), fc.integer({ min: 1, max: 6 })).map(
      ([client, credit]) =>
        (w: World) =>
          w.clients[client]?.resume(credit),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 5 })).map(
      ([client, id]) =>
        (w: World) =>
          w.clients[client]?.stream.cancel(id),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 1 }).map((c) => (w: World) => w.clients[c]?.stream.requestProgress()),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 15 }).map((back) => (w: World) => w.compact(w.store.revision - back)),
  },
  { weight: 1, arbitrary: fc.nat({ max: 3 }).map((writes) => (w: World) => w.restore(writes)) },
  { weight: 8, arbitrary: fc.constant((w: World) => void w.run()) },
)

function check(world: World, watched: Watched): void {
  const { request, start, told, end } = watched
  const [from, to] = [text(request.key), text(request.rangeEnd)]
  const wanted = world.history.filter((event) => {
    const isFiltered = request.filters.includes(event.deleted ? 1 : 0)
    return event.revision >= start && inRange(from, to, event.key) && !isFiltered
  })
  const seen = told.map(({ revision, key, deleted }) => ({ revision, key, deleted }))
  const plain = wanted.map(({ revision, key, deleted }) => ({ revision, key, deleted }))
  if (end === undefined) expect(seen).toEqual(plain)
  else {
    expect(seen).toEqual(plain.slice(0, seen.length))
    if (end === 'compacted') {
      // It lacked something that is gone, or may lack it.
      expect(Math.max(start, watched.bookmark + 1)).toBeLessThan(watched.compactRevision)
    }
  }
  for (const [i, event] of told.entries()) {
    // Compaction may take the pair before; a wrong one is never given.
    if (event.prev !== undefined)
      expect([request.prevKv, event.prev]).toEqual([true, wanted[i]?.prev])
  }
}

test('every watcher sees exactly its events in order, whatever happens to wires and history', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 30, maxLength: 120 }), (actions) => {
      const world = new World()
      for (const act of actions) act(world)
      world.settle()
      expect(world.hub.counts.slow).toBe(0)
      for (const client of world.clients) {
        for (const watched of client.watched.values()) check(world, watched)
        for (const revision of client.progress)
          expect(revision).toBeLessThanOrEqual(world.hub.revision)
      }
    }),
    { seed, numRuns: 500 },
  )
})
