import { describe, expect, test } from 'vitest'
import { encodeMembership } from '../core/membership.ts'
import type { Entry, NodeId, SnapshotMeta } from '../core/types.ts'
import { LogReplay, type ReplayedLog } from './log-replay.ts'
import { LogShape } from './log-shape.ts'
import type { RecordItem } from './record-body.ts'
import { entry, membership, nodeId } from './testing/test-wal.ts'

const base = (index: number, term: number): SnapshotMeta => ({ index, term, membership })
const compacted = (index: number, term: number): RecordItem => ({
  type: 'compacted',
  base: base(index, term),
})
const replaced = (index: number, term: number): RecordItem => ({
  type: 'replaced',
  base: base(index, term),
})
const entries = (first: number, ...terms: number[]): RecordItem => ({
  type: 'entries',
  entries: terms.map((term, i) => entry(first + i, term, `${first + i}@${term}`)),
})

function replay(...items: RecordItem[]): ReplayedLog {
  const log = new LogReplay({ clusterId: 'c', nodeId })
  for (const [i, item] of items.entries()) log.add([item], { path: 'file', offset: i })
  return log.finish({ path: 'file', offset: items.length })
}

const shape = ({ base, entries }: ReplayedLog): string =>
  [`${base.index}@${base.term}`, ...entries.map(({ index, term }) => `${index}@${term}`)].join(' ')

describe('what counts after replay', () => {
  test.each<[string, RecordItem[], string]>([
    ['everything after the base', [compacted(0, 0), entries(1, 1, 1)], '0@0 1@1 2@1'],
    [
      'later entries instead of earlier ones',
      [compacted(0, 0), entries(1, 1, 1, 1), entries(2, 2)],
      '0@0 1@1 2@2',
    ],
    [
      'nothing up to a newer base',
      [compacted(0, 0), entries(1, 1, 1, 2), compacted(2, 1)],
      '2@1 3@2',
    ],
    [
      'nothing that was written before a snapshot',
      [compacted(0, 0), entries(1, 1, 1, 1), replaced(2, 2), entries(3, 2)],
      '2@2 3@2',
    ],
    [
      'the newest base, although a segment repeats an older one',
      [compacted(0, 0), entries(1, 1, 1, 1), compacted(2, 1), compacted(1, 1)],
      '2@1 3@1',
    ],
    [
      'entries of a segment whose forerunners are released',
      [compacted(1, 1), entries(5, 2, 2), compacted(5, 2)],
      '5@2 6@2',
    ],
    [
      'no old entries that were cut from below the base',
      [compacted(1, 1), entries(5, 2, 2, 2), entries(4, 3, 3), compacted(5, 3)],
      '5@3',
    ],
  ])('%s', (_name, items, expected) => {
    expect(shape(replay(...items))).toBe(expected)
  })
})

describe('corruption is named with file and offset', () => {
  const bad: Entry = { ...entry(1, 1), type: 1 }
  test.each<[string, RecordItem[], number]>([
    ['no base at all', [entries(1, 1)], 1],
    ['a gap between entries', [compacted(0, 0), entries(1, 1), entries(3, 1)], 2],
    ['a gap after the base', [compacted(3, 1), entries(5, 1)], 1],
    ['entries that end before the base', [compacted(0, 0), entries(1, 1), compacted(3, 1)], 3],
    ['terms that fall', [compacted(0, 0), entries(1, 2), entries(2, 1)], 2],
    ['terms that fall inside a record', [compacted(0, 0), entries(1, 2, 1)], 1],
    ['a term below that of the base', [compacted(1, 3), entries(2, 2)], 2],
    ['a membership that is none', [compacted(0, 0), { type: 'entries', entries: [bad] }], 1],
  ])('%s', (_name, items, offset) => {
    expect(() => replay(...items)).toThrow(
      expect.objectContaining({ code: 'CORRUPT', file: 'file', offset }) as Error,
    )
  })

  test('and so is the log of another member', () => {
    const metadata = { clusterId: 'c', nodeId: 'other' as NodeId }
    expect(() => replay({ type: 'metadata', metadata })).toThrow(
      expect.objectContaining({ code: 'CLUSTER_MISMATCH' }) as Error,
    )
  })
})

describe('the shape of the log', () => {
  const changed = { voters: [nodeId, 'n2' as NodeId], votersOutgoing: [], learners: [] }
  const change = (index: number, term: number): Entry => ({
    index,
    term,
    type: 1,
    data: encodeMembership(changed),
  })

  test('knows term and membership at every index, also after the tail is replaced', () => {
    const log = new LogShape(base(0, 0))
    log.append([entry(1, 1), entry(2, 1), change(3, 2), entry(4, 2)])
    expect([0, 1, 2, 3, 4, 5].map((index) => log.termAt(index))).toEqual([0, 1, 1, 2, 2, undefined])
    expect([log.membershipAt(2), log.membershipAt(3)]).toEqual([membership, changed])
    log.append([entry(3, 3)])
    expect([log.lastIndex, log.termAt(3), log.termAt(4)]).toEqual([3, 3, undefined])
    expect(log.membershipAt(3)).toEqual(membership)
  })

  test('names the base that a compaction leaves', () => {
    const log = new LogShape(base(0, 0))
    log.append([entry(1, 1), change(2, 1), entry(3, 4)])
    expect(log.compact(2)).toEqual({ index: 2, term: 1, membership: changed })
    expect([log.termAt(1), log.termAt(2), log.termAt(3)]).toEqual([undefined, 1, 4])
    log.replace(base(9, 5))
    expect([log.lastIndex, log.termAt(9), log.membershipAt(9)]).toEqual([9, 5, membership])
  })
})
