// The leader's side of replication (progress, window, probing, snapshots) against a follower that does literally what Figure 2 says, on a
// full copy of its log, over a wire that loses, repeats and reorders. Whatever happens the leader never believes too much, keeps its limits,
// and brings the log over once the faults end.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from './outbox.ts'
import { RaftLog } from './raft-log.ts'
import { Replication } from './replication.ts'
import { appendResult } from './testing/messages.ts'
import { config, entry, nodeId, voters } from './testing/test-cluster.ts'
import type { AppendEntries, AppendEntriesResult, InstallSnapshot, Message } from './types.ts'

const leaderTerm = 6
const b = nodeId('b')
const limits = { inflightMessagesMax: 3, messageSizeBytesMax: 80 }

/** Terms by position, 0 before the first entry. */
type Terms = readonly number[]

/** A log that satisfies log matching with `leader`: the same up to `shared`, and different at every position after it. */
function diverge(leader: Terms, shared: number, tail: readonly number[]): number[] {
  const log = leader.slice(0, shared + 1)
  for (const rise of tail) {
    const last = log.at(-1) ?? 0
    let term = Math.max(1, last) + rise
    if (term === leader[log.length]) term++
    if (term >= leaderTerm) break
    log.push(term)
  }
  return log
}

const logs = fc
  .record({
    rises: fc.array(fc.nat(1), { maxLength: 8 }),
    shared: fc.nat(8),
    tail: fc.array(fc.nat(1), { maxLength: 6 }),
  })
  .map(({ rises, shared, tail }) => {
    const leader = [0]
    for (const rise of rises)
      leader.push(Math.min(leaderTerm - 1, Math.max(1, (leader.at(-1) ?? 0) + rise)))
    return { leader, follower: diverge(leader, Math.min(shared, rises.length), tail) }
  })

class NaiveFollower {
  terms: number[]
  commitIndex = 0
  readonly #leader: (index: number) => number | undefined

  constructor(terms: number[], leader: (index: number) => number | undefined) {
    this.terms = terms
    this.#leader = leader
  }

  append({ prevLogIndex, prevLogTerm, entries, commit }: AppendEntries): AppendEntriesResult {
    if (this.terms[prevLogIndex] !== prevLogTerm) return this.#refuse(prevLogIndex, prevLogTerm)
    for (const { index, term } of entries) {
      if (this.terms[index] === term) continue
      expect(index).toBeGreaterThan(this.commitIndex)
      this.terms = [...this.terms.slice(0, index), term]
    }
    const last = prevLogIndex + entries.length
    this.commitIndex = Math.max(this.commitIndex, Math.min(commit, last))
    return this.#answer(last)
  }

  #refuse(index: number, term: number): AppendEntriesResult {
    const upTo = this.terms.slice(0, index + 1)
    const hintIndex = upTo.findLastIndex((each) => each <= term)
    const hint = { hintIndex, hintTerm: upTo[hintIndex] ?? 0 }
    return appendResult({ term: leaderTerm, rejected: true, index, ...hint })
  }

  install({ snapshot }: InstallSnapshot): AppendEntriesResult {
    const { index, term } = snapshot
    if (index > this.commitIndex) {
      // It stands for the leader's own entries.
      const before = Array.from({ length: index }, (_, i) => this.#leader(i) ?? 0)
      if (this.terms[index] !== term) this.terms = [...before, term]
      this.commitIndex = index
    }
    return this.#answer(this.commitIndex)
  }

  #answer(index: number): AppendEntriesResult {
    return appendResult({ term: leaderTerm, index })
  }

  /** How far its log is the leader's, counting what a snapshot stood for. */
  matching(): number {
    let index = this.commitIndex
    while (this.terms[index + 1] !== undefined && this.terms[index + 1] === this.#leader(index + 1))
      index++
    return index
  }
}

class Pair {
  readonly log: RaftLog
  readonly outbox = new Outbox()
  readonly replication: Replication
  readonly follower: NaiveFollower
  #leaderTerms: number[]
  #toFollower: Message[] = []
  #toLeader: AppendEntriesResult[] = []
  #sequence = 0

  constructor({ leader, follower }: { readonly leader: Terms; readonly follower: number[] }) {
    this.#leaderTerms = [...leader]
    this.log = new RaftLog({
      snapshot: { index: 0, term: 0 },
      entries: leader.slice(1).map((term, i) => entry(i + 1, term)),
      commitIndex: 0,
      appliedIndex: 0,
    })
    this.replication = new Replication({
      config: config('a', limits),
      term: leaderTerm,
      log: this.log,
      outbox: this.outbox,
      snapshotMembership: () => voters('a', 'b'),
    })
    this.replication.setMembership(voters('a', 'b'))
    this.follower = new NaiveFollower(follower, (index) => this.#leaderTerms[index])
    this.propose()
  }

  get #peer(): NonNullable<ReturnType<Replication['peers']['get']>> {
    const peer = this.replication.peers.get(b)
    if (peer === undefined) throw new Error('b is no peer')
    return peer
  }

  propose(): void {
    const index = this.log.lastIndex + 1
    this.log.append(entry(index, leaderTerm, 'x'.repeat(index % 40)))
    this.#leaderTerms.push(leaderTerm)
    this.replication.touch()
  }

  /** Others have made everything but the last `back` entries committed; it is applied, and all but the last `kept` of it compacted. */
  commit(back: number, kept: number): void {
    const sequence = ++this.#sequence
    this.log.handOut(sequence)
    this.log.persisted(sequence)
    this.log.commitTo(Math.max(0, this.log.lastIndex - back))
    const applied = this.log.nextApply().at(-1)?.index
    if (applied !== undefined) this.log.appliedTo(applied)
    this.log.compact(Math.max(0, this.log.appliedIndex - kept))
    this.replication.touch()
  }

  send(): void {
    this.replication.send()
    this.#toFollower.push(...this.outbox.take().send)
  }

  /** The `at`-th message on the way arrives; `isRepeated`: and stays on the way. */
  arrive(at: number, isRepeated: boolean): void {
    const message = this.#toFollower[at % Math.max(1, this.#toFollower.length)]
    if (message === undefined) return
    if (!isRepeated) this.#toFollower = this.#toFollower.filter((each) => each !== message)
    if (message.type === 'appendEntries') this.#toLeader.push(this.follower.append(message))
    if (message.type !== 'installSnapshot') return
    this.#toLeader.push(this.follower.install(message))
    // The shell's stream is over, whether the answer gets through or not.
    this.replication.snapshotReported(b, true)
  }

  answer(at: number, isRepeated: boolean): void {
    const message = this.#toLeader[at % Math.max(1, this.#toLeader.length)]
    if (message === undefined) return
    if (!isRepeated) this.#toLeader = this.#toLeader.filter((each) => each !== message)
    this.replication.answered(this.#peer, message)
    this.replication.maybeTouch(this.#peer)
  }

  lose(): void {
    if (this.#toFollower.some(({ type }) => type === 'installSnapshot')) {
      this.replication.snapshotReported(b, false)
    }
    this.#toFollower = []
    this.#toLeader = []
  }

  /** There and back; it names no more than what the follower is known to hold. */
  heartbeat(): void {
    const commit = Math.min(this.#peer.matchIndex, this.log.commitIndex)
    this.follower.commitIndex = Math.max(this.follower.commitIndex, commit)
    this.#peer.alive(this.log.lastIndex)
    this.replication.maybeTouch(this.#peer)
  }

  unreachable(): void {
    this.replication.unreachable(b)
  }

  check(): void {
    this.log.verify()
    this.replication.verify()
    const { matchIndex } = this.#peer.status()
    expect(matchIndex).toBeLessThanOrEqual(this.follower.matching())
    for (let index = 1; index <= this.follower.commitIndex; index++) {
      expect(this.follower.terms[index]).toBe(this.#leaderTerms[index])
    }
  }

  converge(): void {
    this.lose()
    for (let round = 0; round < 60; round++) {
      this.heartbeat()
      this.send()
      while (this.#toFollower.length > 0) this.arrive(0, false)
      while (this.#toLeader.length > 0) this.answer(0, false)
      this.check()
      if (this.follower.commitIndex === this.log.lastIndex) break
    }
    expect(this.#peer.status()).toMatchObject({
      state: 'replicate',
      matchIndex: this.log.lastIndex,
      nextIndex: this.log.lastIndex + 1,
    })
    expect(this.follower.matching()).toBe(this.log.lastIndex)
    expect(this.follower.commitIndex).toBe(this.log.commitIndex)
  }
}

const step = fc.record({
  do: fc.constantFrom(
    ...([
      'propose',
      'commit',
      'send',
      'arrive',
      'answer',
      'lose',
      'heartbeat',
      'unreachable',
    ] as const),
    ...(['send', 'arrive', 'answer', 'send', 'arrive', 'answer', 'propose'] as const),
  ),
  at: fc.nat(5),
  isRepeated: fc.boolean(),
})

test('over any wire the leader never believes too much, keeps its limits, and brings its log over', () => {
  fc.assert(
    fc.property(logs, fc.array(step, { maxLength: 60, size: 'max' }), (start, steps) => {
      const pair = new Pair(start)
      for (const { do: what, at, isRepeated } of steps) {
        if (what === 'arrive' || what === 'answer') pair[what](at, isRepeated)
        else if (what === 'commit') pair.commit(at, isRepeated ? 0 : 2)
        else pair[what]()
        pair.check()
      }
      pair.converge()
    }),
    { seed: 31, numRuns: 300 },
  )
})
