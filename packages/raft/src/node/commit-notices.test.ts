import { expect, test } from 'vitest'
import { ids } from '../core/testing/test-cluster.ts'
import { entryType, type AppendEntries, type NodeId } from '../core/types.ts'
import { CommitNotices } from './commit-notices.ts'

const [a, b, c] = ids('a', 'b', 'c') as [NodeId, NodeId, NodeId]

function append(to: NodeId, commit: number, count: number): AppendEntries {
  const entries = Array.from({ length: count }, (_, i) => {
    return { term: 1, index: 8 + i, type: entryType.normal, data: new Uint8Array(1) }
  })
  const at = { prevLogIndex: 7, prevLogTerm: 1, commit }
  return { type: 'appendEntries', from: a, to, term: 1, ...at, entries }
}

test('what is committed is told later, and everything else leaves at once', () => {
  const notices = new CommitNotices()
  const entries = append(b, 6, 1)
  expect(notices.hold([entries, append(c, 7, 0)])).toEqual([entries])
  expect(notices.take()).toEqual([append(c, 7, 0)])
  expect(notices.isEmpty).toBe(true)
})

test('entries to a peer take the place of its notice, and of no other', () => {
  const notices = new CommitNotices()
  expect(notices.hold([append(b, 7, 0), append(c, 7, 0)])).toEqual([])
  const entries = append(b, 7, 1)
  expect(notices.hold([entries])).toEqual([entries])
  expect(notices.take()).toEqual([append(c, 7, 0)])
})

test('of two notices to a peer the newer one is told', () => {
  const notices = new CommitNotices()
  notices.hold([append(b, 6, 0)])
  notices.hold([append(b, 7, 0)])
  expect(notices.take()).toEqual([append(b, 7, 0)])
})
