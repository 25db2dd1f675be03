import { expect, test } from 'vitest'
import { ids } from '../core/testing/test-cluster.ts'
import { entryType, type AppendEntries, type Message, type NodeId } from '../core/types.ts'
import { CommitNotices } from './commit-notices.ts'
import type { Clock } from './ports.ts'

const [a, b, c] = ids('a', 'b', 'c') as [NodeId, NodeId, NodeId]

function append(to: NodeId, commit: number, count: number): AppendEntries {
  const entries = Array.from({ length: count }, (_, i) => {
    return { term: 1, index: 8 + i, type: entryType.normal, data: new Uint8Array(1) }
  })
  const at = { prevLogIndex: 7, prevLogTerm: 1, commit }
  return { type: 'appendEntries', from: a, to, term: 1, ...at, entries }
}

interface World {
  readonly notices: CommitNotices
  /** In order. */
  readonly sent: Message[]
  /** Goes round with the event loop. */
  turn(): void
  pass(ms: number): void
}

function open(): World {
  const sent: Message[] = []
  let now = 0
  let deferred: (() => void)[] = []
  let timers: { at: number; callback: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    defer: (callback) => void deferred.push(callback),
    setTimer: (ms, callback) => {
      timers.push({ at: now + ms, callback })
      return () => undefined
    },
  }
  const notices = new CommitNotices({ clock, send: (messages) => void sent.push(...messages) })
  return {
    notices,
    sent,
    turn: () => {
      const due = deferred
      deferred = []
      for (const callback of due) callback()
    },
    pass: (ms) => {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { callback } of due) callback()
    },
  }
}

const forwarded: Message = { type: 'propose', from: b, to: a, term: 1, sequence: 1, payloads: [] }

test('what is committed is told a millisecond later, and everything else leaves at once', () => {
  const { notices, sent, turn, pass } = open()
  const entries = append(b, 6, 1)
  expect(notices.hold([entries, append(c, 7, 0)])).toEqual([entries])
  for (let i = 0; i < 3; i++) turn()
  expect(sent).toEqual([])
  pass(1)
  expect(sent).toEqual([append(c, 7, 0)])
  pass(10)
  expect(sent).toHaveLength(1)
})

test('entries to a peer take the place of its notice, and of no other', () => {
  const { notices, sent, pass } = open()
  expect(notices.hold([append(b, 7, 0), append(c, 7, 0)])).toEqual([])
  const entries = append(b, 7, 1)
  expect(notices.hold([entries])).toEqual([entries])
  pass(1)
  expect(sent).toEqual([append(c, 7, 0)])
})

test('of two notices to a peer the newer one is told', () => {
  const { notices, sent, pass } = open()
  notices.hold([append(b, 6, 0)])
  notices.hold([append(b, 7, 0)])
  pass(1)
  expect(sent).toEqual([append(b, 7, 0)])
})

test('a peer whose clients wait hears it as soon as the clients here were answered, for a second', () => {
  const { notices, sent, turn, pass } = open()
  notices.received(forwarded)
  notices.hold([append(b, 6, 0)])
  turn()
  expect(sent).toEqual([])
  turn()
  expect(sent).toEqual([append(b, 6, 0)])
  pass(1001)
  notices.hold([append(b, 7, 0)])
  for (let i = 0; i < 3; i++) turn()
  expect(sent).toHaveLength(1)
  pass(1)
  expect(sent).toHaveLength(2)
})

test('a read that a peer passes on brings it the notice that is held for it', () => {
  const { notices, sent, turn } = open()
  notices.hold([append(b, 6, 0)])
  notices.received({ type: 'readIndex', from: b, to: a, term: 1, context: 1 })
  for (let i = 0; i < 2; i++) turn()
  expect(sent).toEqual([append(b, 6, 0)])
})
