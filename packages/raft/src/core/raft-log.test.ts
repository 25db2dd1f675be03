import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryOverheadBytes } from './entry-cache.ts'
import { RaftLog } from './raft-log.ts'
import { entry, voters } from './testing/test-cluster.ts'
import type { Entry } from './types.ts'

function emptyLog(cacheSizeBytesMax = Infinity): RaftLog {
  return new RaftLog({
    cacheSizeBytesMax: () => cacheSizeBytesMax,
    snapshot: { index: 0, term: 0 },
    entries: [],
    commitIndex: 0,
    appliedIndex: 0,
  })
}

/** What a log is, without cursors that are clever: an array, and a set of what the disk holds. */
class NaiveLog {
  terms: number[] = [0]
  commit = 0
  applied = 0
  compacted = 0
  /** The disk's own copy: written in the order of the Readys. */
  disk: number[] = [0]
  writes: { readonly sequence: number; readonly from: number; readonly terms: number[] }[] = []

  cutAndAppend(from: number, terms: readonly number[]): void {
    this.terms = [...this.terms.slice(0, from), ...terms]
  }

  /** Only what is on the disk and has not been replaced since counts. */
  get persisted(): number {
    let last = this.compacted
    while (last + 1 < this.terms.length && this.disk[last + 1] === this.terms[last + 1]) last++
    return last
  }
}

type Step =
  | { readonly do: 'append'; readonly count: number }
  | { readonly do: 'replace'; readonly back: number; readonly count: number }
  | { readonly do: 'hand' }
  | { readonly do: 'persist'; readonly count: number }
  | { readonly do: 'commit'; readonly by: number }
  | { readonly do: 'apply' }
  | { readonly do: 'compact'; readonly back: number }

const small = fc.integer({ min: 0, max: 4 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('append' as const), count: small }),
    fc.record({ do: fc.constant('replace' as const), back: small, count: small }),
    fc.record({ do: fc.constant('hand' as const) }),
    fc.record({ do: fc.constant('persist' as const), count: small }),
    fc.record({ do: fc.constant('commit' as const), by: small }),
    fc.record({ do: fc.constant('apply' as const) }),
    fc.record({ do: fc.constant('compact' as const), back: small }),
  ),
  { maxLength: 60 },
)

class Pair {
  readonly log: RaftLog
  readonly cacheSizeBytesMax: number
  readonly naive = new NaiveLog()
  term = 1
  sequence = 0
  readonly handed: Entry[] = []

  constructor(cacheSizeBytesMax: number) {
    this.cacheSizeBytesMax = cacheSizeBytesMax
    this.log = emptyLog(cacheSizeBytesMax)
  }

  take(step: Step): void {
    switch (step.do) {
      case 'append':
        return this.write(this.naive.terms.length, step.count)
      case 'replace': {
        const from = Math.max(this.naive.commit + 1, this.naive.terms.length - step.back)
        // A conflict comes with a leader of a new term and at least one entry.
        this.term++
        return this.write(from, step.count + 1)
      }
      case 'hand':
        return this.hand()
      case 'persist':
        return this.persist(step.count)
      case 'commit': {
        const commit = Math.min(this.naive.terms.length - 1, this.naive.commit + step.by)
        this.naive.commit = commit
        this.log.commitTo(commit)
        return
      }
      case 'apply': {
        this.handed.push(...this.log.nextApply())
        this.naive.applied = this.handed.length
        this.log.appliedTo(this.handed.length)
        return
      }
      case 'compact': {
        this.naive.compacted = Math.max(this.naive.compacted, this.naive.applied - step.back)
        this.log.compact(Math.max(0, this.naive.applied - step.back))
      }
    }
  }

  write(from: number, count: number): void {
    const terms = Array.from({ length: count }, () => this.term)
    this.naive.cutAndAppend(from, terms)
    const entries = terms.map((term, i) => entry(from + i, term))
    this.log.accept(from - 1, entries)
  }

  hand(): void {
    const sequence = ++this.sequence
    const { entries } = this.log.handOut(sequence)
    const [first] = entries
    const terms = entries.map((each) => each.term)
    if (first !== undefined) this.naive.writes.push({ sequence, from: first.index, terms })
  }

  persist(count: number): void {
    for (const write of this.naive.writes.splice(0, count)) {
      this.naive.disk = [...this.naive.disk.slice(0, write.from), ...write.terms]
      this.log.persisted(write.sequence)
    }
  }

  check(): void {
    const { log, naive } = this
    log.verify()
    const last = naive.terms.length - 1
    expect({ last: log.lastIndex, commit: log.commitIndex, first: log.firstIndex }).toEqual({
      last,
      commit: naive.commit,
      first: naive.compacted + 1,
    })
    expect(log.persistedIndex).toBe(naive.persisted)
    for (let index = naive.compacted; index <= last; index++) {
      expect(log.termAt(index)).toBe(naive.terms[index])
    }
    this.checkMemory()
    expect(this.handed.map((each) => each.term)).toEqual(naive.terms.slice(1, naive.applied + 1))
    expect(naive.applied).toBeLessThanOrEqual(Math.min(naive.commit, naive.persisted))
  }

  /** As much as the limit allows of what is applied is in memory, the newest of it, and all of the rest. */
  checkMemory(): void {
    const { log, naive } = this
    const last = naive.terms.length - 1
    const held: number[] = []
    for (let index = 1; index <= last; index++) {
      const found = log.entryAt(index)
      if (found !== undefined) held.push(index)
      expect([undefined, naive.terms[index]]).toContain(found?.term)
    }
    const appliedHeld = held.filter((index) => index <= naive.applied)
    const appliedMax = Math.floor(this.cacheSizeBytesMax / entryOverheadBytes)
    expect(appliedHeld.length).toBeLessThanOrEqual(appliedMax)
    expect(held.length - appliedHeld.length).toBe(last - naive.applied)
    expect(held).toEqual(held.map((_, i) => last - held.length + 1 + i))
    expect(log.status().entryCacheSizeBytes).toBe(held.length * entryOverheadBytes)
  }

  /** Where the logs may meet, position by position. */
  meeting(index: number, term: number): { index: number; term: number } {
    const { naive } = this
    let at = Math.min(index, naive.terms.length - 1)
    if (at < naive.compacted) return { index: at, term: 0 }
    while (at > naive.compacted && (naive.terms[at] ?? 0) > term) at--
    return { index: at, term: naive.terms[at] ?? 0 }
  }
}

test('the cursors of the log agree with a naive model after any sequence of steps', () => {
  fc.assert(
    fc.property(steps, small, small, (sequence, cacheEntries, at) => {
      const pair = new Pair(cacheEntries * entryOverheadBytes)
      for (const step of sequence) {
        pair.take(step)
        pair.check()
        const [index, term] = [pair.naive.terms.length - at, pair.term - at]
        expect(pair.log.findMeeting(index, term)).toEqual(pair.meeting(index, term))
      }
    }),
    { seed: 1, numRuns: 1500 },
  )
})

test('entries rewritten while the disk was busy do not count as durable (append ABA race)', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1), entry(2, 1)])
  log.handOut(1)
  log.accept(1, [entry(2, 2)])
  log.handOut(2)
  log.persisted(1)
  expect(log.persistedIndex).toBe(1)
  log.persisted(2)
  expect(log.persistedIndex).toBe(2)
})

test('a committed entry is never cut', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1), entry(2, 1)])
  log.commitTo(2)
  expect(() => log.accept(1, [entry(2, 2)])).toThrow('a committed entry is never cut')
})

test('entries in flight when a snapshot replaces the log do not count as durable', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1), entry(2, 1), entry(3, 1)])
  log.handOut(1)
  log.restore({ index: 2, term: 2, membership: voters('a') })
  log.accept(2, [entry(3, 2)])
  log.persisted(1)
  expect(log.persistedIndex).toBe(2)
  log.verify()
})

test('a snapshot never takes the log back in time', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1), entry(2, 1)])
  log.commitTo(2)
  expect(() => {
    log.restore({ index: 1, term: 1, membership: voters('a') })
  }).toThrow('a snapshot never goes back in time')
})

test('a slice keeps its size limit, except that one larger entry comes alone', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1, 'x'.repeat(100)), entry(2, 1, 'y'), entry(3, 1, 'z')])
  const indexes = (from: number, size: number): number[] =>
    log.slice(from, size).map((each) => each.index)
  expect(indexes(1, 10)).toEqual([1])
  expect(indexes(2, 66)).toEqual([2, 3])
  expect(indexes(2, 65)).toEqual([2])
})

test('the meeting point skips whole terms', () => {
  const log = emptyLog()
  log.accept(0, [entry(1, 1), entry(2, 4), entry(3, 4), entry(4, 6), entry(5, 6)])
  expect(log.findMeeting(9, 5)).toEqual({ index: 3, term: 4 })
  expect(log.findMeeting(5, 6)).toEqual({ index: 5, term: 6 })
  expect(log.findMeeting(5, 0)).toEqual({ index: 0, term: 0 })
})
