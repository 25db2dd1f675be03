// When a learner that is to become a voter has caught up (thesis 4.2.1): replication goes in rounds, each up to what the log held when it began.
// A learner whose last round took no longer than an election timeout would not make the cluster wait for longer than that.
import type { Progress } from './progress.ts'
import type { LogIndex, NodeId } from './types.ts'

interface CatchUpRound {
  readonly targetIndex: LogIndex
  ticks: number
  /** The round before was short enough, and the follower has been heard from since. */
  readonly isCaughtUp: boolean
}

export interface PromotionTick {
  /** Who is to be promoted. */
  readonly ids: readonly NodeId[]
  readonly peers: ReadonlyMap<NodeId, Progress>
  readonly lastIndex: LogIndex
}

export class Promotion {
  readonly #electionTicks: number
  #rounds = new Map<NodeId, CatchUpRound>()

  constructor(electionTicks: number) {
    this.#electionTicks = electionTicks
  }

  tick({ ids, peers, lastIndex }: PromotionTick): void {
    const rounds = new Map<NodeId, CatchUpRound>()
    for (const id of ids) {
      const peer = peers.get(id)
      if (peer !== undefined) rounds.set(id, this.#next(peer, lastIndex))
    }
    this.#rounds = rounds
  }

  #next(peer: Progress, lastIndex: LogIndex): CatchUpRound {
    const round = this.#rounds.get(peer.id)
    if (round === undefined) return { targetIndex: lastIndex, ticks: 0, isCaughtUp: false }
    round.ticks++
    const isShort = round.ticks <= this.#electionTicks
    if (peer.matchIndex < round.targetIndex)
      return isShort ? round : { ...round, isCaughtUp: false }
    const isCaughtUp = isShort && peer.isActive && peer.state === 'replicate'
    return { targetIndex: lastIndex, ticks: 0, isCaughtUp }
  }

  /** One that may be promoted now. */
  get candidate(): NodeId | undefined {
    for (const [id, { isCaughtUp }] of this.#rounds) if (isCaughtUp) return id
    return undefined
  }
}
