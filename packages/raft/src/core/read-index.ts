// Linearizable reads without a log entry (thesis 6.4). The leader numbers its rounds and heartbeats carry the newest number, so that an
// answer confirms only rounds that were asked before its heartbeat left: an old answer can never vouch for a newer read.
import { assert } from './assert.ts'
import type { LogIndex, NodeId } from './types.ts'

/** Reads that wait on one member; more are answered "ask again". */
export const readsPendingMax = 65_536

/** Who asked: a peer, or undefined for the member itself. */
export interface ReadRequest {
  readonly from: NodeId | undefined
  readonly context: number
}

export interface ConfirmedRead extends ReadRequest {
  readonly index: LogIndex
}

interface Round {
  readonly sequence: number
  readonly index: LogIndex
  readonly requests: ReadRequest[]
}

/** The leader's side. */
export class ReadRounds {
  /** Asked before an entry of the leader's own term was committed: its commit index may still lag behind an older leader's. */
  #early: ReadRequest[] = []
  #rounds: Round[] = []
  #sequence = 0
  /** The newest round still takes requests: no heartbeat has carried its number yet. */
  #isOpen = false
  #count = 0

  /** What a heartbeat carries; 0 when nobody waits. */
  get sequence(): number {
    return this.#rounds.length === 0 ? 0 : this.#sequence
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isFull(): boolean {
    return this.#count >= readsPendingMax
  }

  addEarly(request: ReadRequest): void {
    assert(!this.isFull, 'the caller turns reads away at the limit')
    this.#count++
    this.#early.push(request)
  }

  /** Joins the open round of the same index or opens one. */
  add(request: ReadRequest, commitIndex: LogIndex): void {
    assert(!this.isFull, 'the caller turns reads away at the limit')
    this.#count++
    const last = this.#rounds[this.#rounds.length - 1]
    if (this.#isOpen && last !== undefined && last.index === commitIndex) {
      last.requests.push(request)
      return
    }
    this.#sequence++
    this.#isOpen = true
    this.#rounds.push({ sequence: this.#sequence, index: commitIndex, requests: [request] })
  }

  /** The leader has committed an entry of its term: the early ones start their round. */
  releaseEarly(commitIndex: LogIndex): void {
    const early = this.#early
    this.#early = []
    this.#count -= early.length
    for (const request of early) this.add(request, commitIndex)
  }

  /** Heartbeats with the newest number leave now. */
  close(): void {
    this.#isOpen = false
  }

  /** A quorum has confirmed every round up to `sequence`. */
  confirm(sequence: number): readonly ConfirmedRead[] {
    const confirmed: ConfirmedRead[] = []
    let done = 0
    for (const round of this.#rounds) {
      if (round.sequence > sequence) break
      for (const request of round.requests) confirmed.push({ ...request, index: round.index })
      done++
    }
    if (done > 0) this.#rounds.splice(0, done)
    if (this.#rounds.length === 0) this.#isOpen = false
    this.#count -= confirmed.length
    return confirmed
  }

  /** Everyone who still waits, when the leader loses its role. */
  abandon(): readonly ReadRequest[] {
    const waiting = [...this.#early, ...this.#rounds.flatMap((round) => round.requests)]
    this.#early = []
    this.#rounds = []
    this.#count = 0
    this.#isOpen = false
    return waiting
  }

  verify(): void {
    let sequence = 0
    let count = this.#early.length
    for (const round of this.#rounds) {
      assert(round.sequence > sequence, 'rounds are numbered upwards')
      assert(round.requests.length > 0, 'a round has somebody who waits')
      sequence = round.sequence
      count += round.requests.length
    }
    assert(sequence <= this.#sequence, 'rounds are numbered by the counter')
    assert(count === this.#count, 'every waiting read is counted')
  }
}
