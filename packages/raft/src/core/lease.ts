// Reads by lease (thesis 6.4.1) with the promise said aloud: a member that answers a numbered heartbeat tells for how long it will vote for
// nobody else; while a quorum's promises hold, nobody else leads. Both sides measure by their own monotonic clocks, whose rates
// differ by a bounded part. A leader that was suspended, so that its monotonic clock stood still, is found out by the wall clock.
import { assert } from './assert.ts'
import { quorumReached } from './quorum.ts'
import type { LeaseReadsConfig, Membership, NodeId } from './types.ts'

/** Heartbeats whose answer may still prove something; with a round for every turn of reads there are many. */
const heartbeatsMax = 1024

/** The same moment on both clocks. */
interface Instant {
  readonly monotonicMs: number
  readonly wallMs: number
}

function now({ monotonicMs, wallMs }: LeaseReadsConfig): Instant {
  const monotonic = monotonicMs()
  return { monotonicMs: monotonic, wallMs: wallMs?.() ?? monotonic }
}

/** The leader's side, for one term. */
export class LeaderLease {
  readonly #config: LeaseReadsConfig
  readonly #durationMsMax: number
  #number = 0
  /** By number, oldest first. */
  readonly #sent = new Map<number, Instant>()
  /** Until when each follower has promised, on this member's clocks. */
  readonly #promised = new Map<NodeId, Instant>()
  #isRevoked = false

  constructor(config: LeaseReadsConfig, electionTicks: number) {
    assert(config.driftRateMax >= 0 && config.driftRateMax <= 0.5, 'clocks drift by a part')
    this.#config = config
    this.#durationMsMax = (electionTicks - 1) * config.tickMs
  }

  /** Heartbeats leave now; returns the number that they carry. */
  sending(): number {
    const at = now(this.#config)
    this.#sent.set(++this.#number, at)
    for (const [number, { monotonicMs }] of this.#sent) {
      const isOver = at.monotonicMs - monotonicMs >= this.#durationMsMax
      if (!isOver && this.#sent.size <= heartbeatsMax) break
      this.#sent.delete(number)
    }
    return this.#number
  }

  /** A follower answers the heartbeat of `number`: its promise began after that was sent. */
  answered(from: NodeId, number: number, promiseMs: number): void {
    const sent = this.#sent.get(number)
    if (sent === undefined) return
    const { driftRateMax } = this.#config
    const durationMs = Math.min(promiseMs, this.#durationMsMax) * (1 - driftRateMax)
    const before = this.#promised.get(from)
    const monotonicMs = sent.monotonicMs + durationMs
    if (before !== undefined && before.monotonicMs > monotonicMs) return
    this.#promised.set(from, { monotonicMs, wallMs: sent.wallMs + durationMs })
  }

  /** Somebody was told to campaign at once, whatever others have promised, and the message may arrive late. */
  revoke(): void {
    this.#isRevoked = true
  }

  /** Whether nobody but `self` can lead at this very moment. */
  isHeld(membership: Membership, self: NodeId): boolean {
    if (this.#isRevoked) return false
    const { monotonicMs, wallMs } = now(this.#config)
    return (
      monotonicMs < this.#promisedBy(membership, self, 'monotonicMs') &&
      wallMs < this.#promisedBy(membership, self, 'wallMs')
    )
  }

  #promisedBy(membership: Membership, self: NodeId, clock: keyof Instant): number {
    // A leader votes for nobody else as long as it leads.
    return quorumReached(membership, (id) =>
      id === self ? Infinity : (this.#promised.get(id)?.[clock] ?? -Infinity),
    )
  }

  verify(): void {
    assert(this.#sent.size <= heartbeatsMax, 'heartbeats that count are bounded')
    for (const number of this.#sent.keys()) {
      assert(number <= this.#number, 'heartbeats are numbered by the counter')
    }
  }
}

/** Every other member's side: whom it has answered, it gives time. */
export class VotePromise {
  readonly #config: LeaseReadsConfig | undefined
  readonly #durationMs: number
  #untilMs = -Infinity

  constructor(config: LeaseReadsConfig | undefined, electionTicks: number) {
    this.#config = config
    this.#durationMs = electionTicks * (config?.tickMs ?? 0)
  }

  /** Returns for how many milliseconds from now this member votes for nobody, 0 without leases. */
  give(): number {
    if (this.#config !== undefined) this.#untilMs = this.#config.monotonicMs() + this.#durationMs
    return this.#durationMs
  }

  /** A leader may rely on this member: neither a vote nor a campaign, unless that leader has asked for it. */
  get isHeld(): boolean {
    return this.#config !== undefined && this.#config.monotonicMs() < this.#untilMs
  }
}
