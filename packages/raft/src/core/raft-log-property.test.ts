// The log and its cursors against a naive model that keeps full copies: every entry ever appended is an object of its own, the disk is a map
// that takes whole writes in order, and what is durable is found by comparing both.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RaftLog } from './raft-log.ts'
import { bytes, voters } from './testing/test-cluster.ts'
import { entryType, type Entry, type SnapshotMeta } from './types.ts'

interface Write {
  readonly sequence: number
  readonly snapshot: SnapshotMeta | undefined
  readonly entries: readonly Entry[]
}

class NaiveLog {
  base = 0
  baseTerm = 0
  entries: Entry[] = []
  commit = 0
  applying = 0
  applied = 0
  writes: Write[] = []
  #disk = new Map<number, Entry>()

  get last(): number {
    return this.base + this.entries.length
  }

  at(index: number): Entry | undefined {
    return this.entries.find((entry) => entry.index === index)
  }

  termAt(index: number): number | undefined {
    return index === this.base ? this.baseTerm : this.at(index)?.term
  }

  persist({ snapshot, entries }: Write): void {
    if (snapshot !== undefined) this.#disk.clear()
    const [first] = entries
    if (first === undefined) return
    for (const index of this.#disk.keys()) if (index >= first.index) this.#disk.delete(index)
    for (const entry of entries) this.#disk.set(entry.index, entry)
  }

  /** Only what is on the disk and has not been replaced since counts. */
  get persisted(): number {
    const isDurable = (entry: Entry): boolean => this.#disk.get(entry.index) === entry
    const from = this.entries.findIndex((each) => each.index > this.applying && !isDurable(each))
    return from < 0 ? this.last : this.base + from
  }

  /** The last position at or before `index` whose term is no higher than `term`, else the base. */
  meeting(index: number, term: number): { index: number; term: number } {
    const fits = this.entries.filter((each) => each.index <= index && each.term <= term)
    const found = fits.at(-1)
    if (found !== undefined) return { index: found.index, term: found.term }
    return {
      index: Math.min(this.base, Math.max(index, 0)),
      term: this.termAt(Math.min(this.base, index)) ?? 0,
    }
  }

  /** With the 32 bytes that an entry costs beside its payload. */
  size(entries: readonly Entry[]): number {
    return entries.reduce((sum, each) => sum + each.data.length + 32, 0)
  }
}

const kinds = ['append', 'replace', 'resend', 'hand', 'persist', 'commit', 'take', 'apply'] as const
type Kind = (typeof kinds)[number] | 'compact' | 'restore'
const step = fc.record({
  kind: fc.constantFrom<Kind>(...kinds, ...kinds, ...kinds, 'compact', 'compact', 'restore'),
  x: fc.nat(4),
  y: fc.nat(3),
})

class Pair {
  readonly log: RaftLog
  readonly naive = new NaiveLog()
  #term = 1
  #sequence = 0
  #count = 0

  constructor(cacheSizeBytesMax: number) {
    const snapshot = { index: 0, term: 0 }
    const empty = { snapshot, entries: [], commitIndex: 0, appliedIndex: 0 }
    this.log = new RaftLog({ ...empty, cacheSizeBytesMax: () => cacheSizeBytesMax })
  }

  take(kind: Kind, x: number, y: number): void {
    const { naive, log } = this
    if (kind === 'append') this.#accept(naive.last, this.#fresh(naive.last + 1, x))
    else if (kind === 'replace') this.#replace(x, y)
    else if (kind === 'resend') this.#resend(x, y)
    else if (kind === 'hand') this.#hand()
    else if (kind === 'persist') this.#persist(x)
    else if (kind === 'commit') {
      naive.commit = Math.min(naive.last, naive.commit + x)
      log.commitTo(naive.commit)
    } else if (kind === 'take') this.#take()
    else if (kind === 'apply') {
      naive.applied = Math.min(naive.applying, Math.max(naive.applied + x, naive.base))
      log.appliedTo(naive.applied)
    } else if (kind === 'compact') this.#compact(Math.max(0, naive.applied - x))
    else this.#restore(naive.commit + 1 + x)
  }

  #fresh(from: number, count: number): Entry[] {
    return Array.from({ length: count }, (_, i) => ({
      index: from + i,
      term: this.#term,
      type: ++this.#count % 5 === 0 ? entryType.membership : entryType.normal,
      data: bytes('x'.repeat(this.#count % 7)),
    }))
  }

  #accept(prev: number, entries: readonly Entry[]): void {
    const { naive, log } = this
    expect(log.accept(prev, entries)).toBe(prev + entries.length)
    const conflict = entries.findIndex((each) => naive.termAt(each.index) !== each.term)
    if (conflict < 0) return
    const from = prev + 1 + conflict
    naive.entries = [
      ...naive.entries.filter((each) => each.index < from),
      ...entries.slice(conflict),
    ]
  }

  /** A leader of a new term overwrites some of what is not committed. */
  #replace(back: number, count: number): void {
    this.#term++
    const from = Math.max(this.naive.commit + 1, this.naive.last + 1 - back)
    this.#accept(from - 1, this.#fresh(from, count + 1))
  }

  /** An old message again: nothing of it is new. */
  #resend(back: number, count: number): void {
    const { naive } = this
    const prev = Math.max(naive.base, naive.last - back)
    const again = naive.entries.filter((each) => each.index > prev && each.index <= prev + count)
    this.#accept(
      prev,
      again.map((each) => ({ ...each })),
    )
  }

  #hand(): void {
    const sequence = ++this.#sequence
    this.naive.writes.push({ sequence, ...this.log.handOut(sequence) })
    expect(this.log.hasUnhanded()).toBe(false)
  }

  #persist(count: number): void {
    for (const write of this.naive.writes.splice(0, count)) {
      this.naive.persist(write)
      this.log.persisted(write.sequence)
    }
  }

  #take(): void {
    const { naive, log } = this
    const to = Math.max(naive.applying, Math.min(naive.commit, naive.persisted))
    expect(log.hasUnapplied()).toBe(to > naive.applying)
    expect(log.nextApply()).toEqual(
      naive.entries.filter((each) => each.index > naive.applying && each.index <= to),
    )
    naive.applying = to
  }

  #compact(index: number): void {
    const { naive, log } = this
    const term = naive.termAt(index)
    log.compact(index)
    if (term === undefined || index <= naive.base) return
    naive.entries = naive.entries.filter((each) => each.index > index)
    naive.base = index
    naive.baseTerm = term
  }

  #restore(index: number): void {
    const { naive, log } = this
    this.#term++
    log.restore({ index, term: this.#term, membership: voters('a') })
    Object.assign(naive, {
      base: index,
      baseTerm: this.#term,
      entries: [],
      commit: index,
      applying: index,
    })
  }

  check(x: number, y: number): void {
    const { naive, log } = this
    log.verify()
    expect({
      first: log.firstIndex,
      last: log.lastIndex,
      lastTerm: log.lastTerm,
      commit: log.commitIndex,
      applied: log.appliedIndex,
      persisted: log.persistedIndex,
    }).toEqual({
      first: naive.base + 1,
      last: naive.last,
      lastTerm: naive.termAt(naive.last),
      commit: naive.commit,
      applied: naive.applied,
      persisted: naive.persisted,
    })
    for (let index = naive.base; index <= naive.last + 1; index++) {
      expect(log.termAt(index)).toBe(naive.termAt(index))
      if (index > naive.applied) expect(log.entryAt(index)).toEqual(naive.at(index))
    }
    this.#ask(x, y)
  }

  /** Questions about any place. */
  #ask(x: number, y: number): void {
    const { naive, log } = this
    const index = naive.base + x
    const term = Math.max(0, this.#term - y)
    expect(log.findMeeting(index, term)).toEqual(naive.meeting(index, term))
    expect(log.matches(index, term)).toBe(naive.termAt(index) === term)
    const lastTerm = naive.termAt(naive.last) ?? 0
    const isNewer = term > lastTerm || (term === lastTerm && index >= naive.last)
    expect(log.isUpToDate(index, term)).toBe(isNewer)
    const after = naive.entries.filter((each) => each.index > Math.max(naive.commit, index))
    expect(log.sizeBytesAfter(Math.max(naive.commit, index))).toBe(naive.size(after))
    const open = naive.entries.filter(
      (each) => each.index > naive.applied && each.index <= naive.commit,
    )
    const hasOpen = open.some((each) => each.type === entryType.membership)
    expect(log.hasUnappliedMembership()).toBe(hasOpen)
    const from = Math.max(naive.commit, index) + 1
    if (from <= naive.last) this.#slice(from, 40 * y)
  }

  #slice(from: number, sizeBytesMax: number): void {
    const rest = this.naive.entries.filter((each) => each.index >= from)
    let count = 1
    while (count < rest.length && this.naive.size(rest.slice(0, count + 1)) <= sizeBytesMax) count++
    expect(this.log.slice(from, sizeBytesMax)).toEqual(rest.slice(0, count))
  }
}

test.each([
  ['all of it in memory', Infinity, 51],
  ['little of what is applied in memory', 100, 52],
  ['nothing of what is applied in memory', 0, 53],
])('the log and its cursors agree with a naive model: %s', (_, cacheSizeBytesMax, seed) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const pair = new Pair(cacheSizeBytesMax)
      for (const { kind, x, y } of steps) {
        pair.take(kind, x, y)
        pair.check(x, y)
      }
    }),
    { seed, numRuns: 150 },
  )
})
