// The packed index beside a plain map of lists: the same answers after any mix of changes and compactions, with keys enough that blocks
// split, are shared out and go away.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyIndex } from './key-index.ts'
import type { KeyRange } from './key-range.ts'

const seed = Number(process.env['SEED'] ?? 20261121)

interface ModelChange {
  readonly main: number
  readonly isLive: boolean
}

class Pair {
  readonly index = new KeyIndex()
  readonly model = new Map<string, ModelChange[]>()
  revision = 1
  compacted = 0

  put(key: string): void {
    this.revision++
    this.index.put(key, this.index.get(key), this.revision, 0)
    this.#changes(key).push({ main: this.revision, isLive: true })
  }

  delete(key: string): void {
    if (this.model.get(key)?.at(-1)?.isLive !== true) return
    this.revision++
    this.index.deleteOne(key, this.revision, () => 0)
    this.#changes(key).push({ main: this.revision, isLive: false })
  }

  /** In steps of `rows`, which must come out as one. */
  compact(revision: number, rows: number): string[] {
    const dropped: string[] = []
    let from: string | undefined = ''
    while (from !== undefined) {
      const step = this.index.compact(from, revision, rows, (main) => dropped.push(String(main)))
      expect(step.rows).toBeLessThanOrEqual(rows)
      from = step.next
    }
    return dropped.sort()
  }

  compactModel(revision: number): string[] {
    const dropped: number[] = []
    for (const [key, changes] of this.model) {
      const kept = changes.filter(({ main, isLive }, i) => {
        const isSuperseded = (changes[i + 1]?.main ?? Infinity) <= revision
        return !isSuperseded && (isLive || main >= revision)
      })
      for (const change of changes) if (!kept.includes(change)) dropped.push(change.main)
      if (kept.length === 0) this.model.delete(key)
      else this.model.set(key, kept)
    }
    return dropped.map(String).sort()
  }

  liveAt(range: KeyRange, revision: number): string[] {
    const inRange = [...this.model].filter(
      ([key]) => key >= range.from && (range.to === undefined || key < range.to),
    )
    const live = inRange.filter(
      ([, changes]) => changes.findLast(({ main }) => main <= revision)?.isLive === true,
    )
    return live.map(([key]) => key).sort()
  }

  check(range: KeyRange, revision: number): void {
    this.index.verify()
    const live: string[] = []
    this.index.scan(range, (record) => {
      if (record.isLiveAt(revision)) live.push(record.key)
      return true
    })
    const want = this.liveAt(range, revision)
    expect(live).toEqual(want)
    expect(this.index.countLiveAt(range, revision)).toBe(want.length)
    expect(this.index.countLive(range)).toBe(this.liveAt(range, Infinity).length)
    expect(this.index.size).toBe(this.model.size)
    for (const key of want) {
      const changes = this.model.get(key) ?? []
      const newest = changes.findLast(({ main }) => main <= revision)
      expect(this.index.get(key)?.mainAt(revision)).toBe(newest?.main)
    }
  }

  #changes(key: string): ModelChange[] {
    const changes = this.model.get(key) ?? []
    this.model.set(key, changes)
    return changes
  }
}

const keyNumber = fc.nat({ max: 1500 })
/** Keys with ends and lengths of all kinds, many with a long common start. */
const keyOf = (i: number): string =>
  i % 7 === 0
    ? `k${'x'.repeat(i % 40)}`
    : `long/common/prefix/${(i * 37) % 1500}${i % 2 ? '\xff' : ''}`

test('the packed index answers as a plain map of lists', () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.array(keyNumber, { maxLength: 120 }).map((put) => ({ put })) },
    { weight: 4, arbitrary: fc.array(keyNumber, { maxLength: 60 }).map((del) => ({ del })) },
    { weight: 2, arbitrary: fc.nat({ max: 300 }).map((compact) => ({ compact })) },
    { weight: 2, arbitrary: fc.tuple(keyNumber, keyNumber).map((range) => ({ range })) },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const pair = new Pair()
      for (let i = 0; i < 600; i++) pair.put(keyOf((i * 11) % 1500))
      for (const step of steps) {
        if ('put' in step) for (const i of step.put) pair.put(keyOf(i))
        else if ('del' in step) for (const i of step.del) pair.delete(keyOf(i))
        else if ('compact' in step) {
          const revision = Math.max(pair.revision - step.compact, pair.compacted)
          pair.compacted = revision
          expect(pair.compact(revision, 1 + (step.compact % 50))).toEqual(
            pair.compactModel(revision),
          )
        } else {
          const [a, b] = step.range.map(keyOf)
          pair.check({ from: a ?? '', to: b }, Math.max(pair.compacted, pair.revision - 40))
        }
      }
      pair.check({ from: '', to: undefined }, pair.revision)
    }),
    { seed, numRuns: 60 },
  )
})

test('keys of any length are kept as they are', () => {
  const index = new KeyIndex()
  const keys = ['', '\0', '\xff', 'a'.repeat(10_000), `${'a'.repeat(10_000)}b`, '\xff\xff']
  for (const [i, key] of keys.entries()) index.put(key, undefined, i + 2, 0)
  const found: string[] = []
  index.scan({ from: '', to: undefined }, (record) => {
    found.push(record.key)
    return true
  })
  expect(found).toEqual(keys.sort())
  index.verify()
})
