// The store against the naive model: random operations, then every answer and every stored row must agree.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeKeyValue } from '../proto/index.ts'
import type { RangeRequest } from '../proto/messages.ts'
import { Compaction } from './compaction.ts'
import { range } from './range.ts'
import { parseRowKey, rowKey } from './revision.ts'
import { keyRange } from './key-range.ts'
import { HistoryModel, inRange } from './testing/history-model.ts'
import {
  bytes,
  openStore,
  putRequest,
  rangeRequest,
  type StoreFixture,
} from './testing/fixtures.ts'

const seed = Number(process.env['SEED'] ?? 20261121)
const key = fc.constantFrom('a', 'ab', 'b', 'b\xff', 'c', 'd', '\xff\xff')
const end = fc.constantFrom('', '\0', 'b', 'c', 'zz')
const value = fc.string({ maxLength: 4 })
const revision = fc.integer({ min: -1, max: 40 })
const bound = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revision })

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string; readonly end: string }
  | { readonly type: 'batch'; readonly keys: readonly string[]; readonly deleted: string }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'step'; readonly rowsMax: number }
  | { readonly type: 'range'; readonly request: RangeRequest }

const rangeOperation = fc
  .record({
    limit: fc.integer({ min: -1, max: 4 }),
    revision,
    sortOrder: fc.integer({ min: 0, max: 2 }),
    sortTarget: fc.integer({ min: 0, max: 4 }),
    keysOnly: fc.boolean(),
    countOnly: fc.boolean(),
    minModRevision: bound,
    maxModRevision: bound,
    minCreateRevision: bound,
    maxCreateRevision: bound,
  })
  .chain((more) => fc.tuple(key, end).map(([from, to]) => rangeRequest(from, to, more)))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key, end }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('batch' as const),
      keys: fc.uniqueArray(key, { maxLength: 4 }),
      deleted: key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), revision }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('step' as const),
      rowsMax: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('range' as const), request: rangeOperation }),
  },
)

class Run {
  readonly fixture = openStore()
  readonly model = new HistoryModel()
  compaction: Compaction | undefined

  apply(op: Operation): void {
    const { store } = this.fixture
    if (op.type === 'put') {
      this.write(() => store.put(putRequest(op.key, op.value)))
      this.model.write((writer) => writer.put(op.key, bytes(op.value)))
    } else if (op.type === 'delete') {
      const doomed = this.model.range(op.key, op.end, Infinity).length
      this.write(() => {
        const result = store.delete(keyRange(bytes(op.key), bytes(op.end)), true)
        expect([result.deleted, result.prevs.length]).toEqual([doomed, doomed])
      })
      this.model.write((writer) => writer.delete(op.key, op.end))
    } else if (op.type === 'batch') {
      const puts = op.keys.filter((k) => !inRange(op.deleted, '', k))
      this.write(() => {
        for (const k of puts) store.put(putRequest(k, 'batch'))
        store.delete(keyRange(bytes(op.deleted), bytes('')), false)
      })
      this.model.write((writer) => {
        for (const k of puts) writer.put(k, bytes('batch'))
        writer.delete(op.deleted, '')
      })
    } else if (op.type === 'compact') this.compact(op.revision)
    else if (op.type === 'step') this.step(op.rowsMax)
    else this.compare(op.request)
    expect(store.revision).toBe(this.model.revision)
  }

  write(body: () => void): void {
    this.fixture.store.beginWrite()
    body()
    this.fixture.store.endWrite()
  }

  compact(revision: number): void {
    const { store } = this.fixture
    const { model } = this
    const isOld = revision <= model.compactRevision
    const isFuture = revision > model.revision
    if (isOld) expect(() => store.compact(revision)).toThrow('has been compacted')
    else if (isFuture) expect(() => store.compact(revision)).toThrow('future revision')
    else {
      this.step(Infinity)
      store.compact(revision)
      model.compactRevision = revision
      this.compaction = new Compaction(store.index, revision, (...row) =>
        this.fixture.tables.delete(rowKey(...row)),
      )
    }
  }

  step(rowsMax: number): void {
    if (this.compaction?.step(rowsMax).done === true) this.compaction = undefined
  }

  compare(request: RangeRequest): void {
    const { model } = this
    const { store } = this.fixture
    if (request.revision > model.revision) {
      expect(() => range(store, request)).toThrow('future revision')
      return
    }
    if (request.revision > 0 && request.revision < model.compactRevision) {
      expect(() => range(store, request)).toThrow('has been compacted')
      return
    }
    expect(rangeOf(this.fixture, request)).toEqual(modelRange(model, request))
  }

  /** Everything is compacted, then the rows and a store loaded from them are compared. */
  finish(): void {
    this.step(Infinity)
    const { tables, store } = this.fixture
    store.index.verify()
    const rows = tables.sorted().map(([row]) => parseRowKey(row))
    const kept = this.model.keptRows().map(({ main, sub, pair }) => {
      return { main, sub, tombstone: pair === undefined }
    })
    expect(rows).toEqual(kept)
    const again = openStore()
    for (const [row, bytes] of tables.sorted()) again.store.loadRow(row, bytes)
    again.store.loaded(store.revision, store.compactRevision)
    again.store.index.verify()
    for (const [row, bytes] of tables.sorted()) again.tables.put(row, bytes)
    const everything = rangeRequest('\0', '\0')
    expect(rangeOf(again, everything)).toEqual(rangeOf(this.fixture, everything))
  }
}

function rangeOf(fixture: StoreFixture, request: RangeRequest): unknown {
  const { kvs, more, count } = range(fixture.store, request)
  const pairs = kvs.map((bytes) => decodeKeyValue(bytes))
  return {
    count,
    more,
    pairs: pairs.map(({ key, modRevision, value }) => [key, modRevision, value]),
  }
}

function modelRange(model: HistoryModel, request: RangeRequest): unknown {
  const { limit, sortOrder, sortTarget } = request
  const at = request.revision > 0 ? request.revision : model.revision
  const text = (b: Uint8Array): string => String.fromCharCode(...b)
  let pairs = model.range(text(request.key), text(request.rangeEnd), at)
  const count = pairs.length
  if (request.countOnly) return { count, more: false, pairs: [] }
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request
  const hasFilter = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
    Boolean,
  )
  // etcd cuts an unsorted, unfiltered range before a sort by target that nobody ordered.
  if (limit > 0 && sortOrder === 0 && !hasFilter) pairs = pairs.slice(0, limit + 1)
  if (minModRevision) pairs = pairs.filter((p) => p.modRevision >= minModRevision)
  if (maxModRevision) pairs = pairs.filter((p) => p.modRevision <= maxModRevision)
  if (minCreateRevision) pairs = pairs.filter((p) => p.createRevision >= minCreateRevision)
  if (maxCreateRevision) pairs = pairs.filter((p) => p.createRevision <= maxCreateRevision)
  const sign = sortOrder === 2 ? -1 : 1
  const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
  if (sortTarget === 0) pairs.sort((a, b) => sign * compareText(text(a.key), text(b.key)))
  if (sortTarget === 1) pairs.sort((a, b) => sign * (a.version - b.version))
  if (sortTarget === 2) pairs.sort((a, b) => sign * (a.createRevision - b.createRevision))
  if (sortTarget === 3) pairs.sort((a, b) => sign * (a.modRevision - b.modRevision))
  if (sortTarget === 4) pairs.sort((a, b) => sign * compareText(text(a.value), text(b.value)))
  const more = limit > 0 && pairs.length > limit
  if (more) pairs = pairs.slice(0, limit)
  const values = pairs.map((p) => [p.key, p.modRevision, request.keysOnly ? bytes('') : p.value])
  return { count, more, pairs: values }
}

test('random writes, compactions and ranges give what the naive model gives', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, minLength: 20 }), (operations) => {
      const run = new Run()
      for (const op of operations) run.apply(op)
      run.finish()
    }),
    { seed, numRuns: 400 },
  )
})
