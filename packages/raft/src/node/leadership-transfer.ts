// Hands the lead over on demand and before the member closes. Proposals that come meanwhile wait in Proposals until the new leader is
// known; those that are in the log already are committed by it.
import type { Core, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { MemberLoop } from './member-loop.ts'
import type { Clock } from './ports.ts'
import type { Waiters } from './waiters.ts'

export interface LeadershipTransferOptions<Result> {
  readonly id: NodeId
  readonly core: Core
  readonly loop: MemberLoop<Result>
  readonly waiters: Waiters
  readonly clock: Clock
  readonly electionTimeoutMs: number
}

/** In election timeouts: the core gives up after one, and an election that has begun by then needs another. */
const patience = 2

export class LeadershipTransfer<Result> {
  readonly #options: LeadershipTransferOptions<Result>

  constructor(options: LeadershipTransferOptions<Result>) {
    this.#options = options
  }

  /** Resolves with the new leader. Without `to` it goes to the voter that is furthest along. */
  async run(to: NodeId | undefined): Promise<NodeId> {
    const { id, core, clock, electionTimeoutMs } = this.#options
    const { role, membership } = core.status()
    if (role !== 'leader') throw new RaftError('NOT_LEADER', `Member ${id} does not lead`)
    if (to !== undefined && !membership.voters.includes(to)) {
      throw new RangeError(`Member ${to} is not a voter`)
    }
    if (to === id) return id
    const target = to ?? this.#furthest()
    if (target === undefined) throw new RangeError('There is no other voter that can be heard')
    this.#begin(target)
    await this.#untilLed(target, clock.now() + patience * electionTimeoutMs)
    return target
  }

  /** If others can take the lead, one of them gets it, and what waits for an answer gets it; ends by `deadline` in any case. */
  async handOver(hasAnswered: () => boolean, deadline: number): Promise<void> {
    const { id, core, waiters } = this.#options
    const target = core.status().role === 'leader' ? this.#furthest() : undefined
    if (target === undefined) return
    this.#begin(target)
    const isDone = (): boolean => {
      const { leader } = core.status()
      return leader !== undefined && leader !== id && hasAnswered()
    }
    const late = new RaftError('TIMEOUT', 'Nobody took the lead over in time')
    await waiters.add(isDone, deadline, late).catch((reason: unknown) => {
      // The others elect a leader when they miss this one; and a member that failed meanwhile has nothing to hand over.
      if (!(reason instanceof RaftError)) throw reason
    })
  }

  #begin(to: NodeId): void {
    this.#options.loop.input((core) => {
      core.transferLeadership(to)
    })
  }

  /** Of those that answer. */
  #furthest(): NodeId | undefined {
    const { membership, progress } = this.#options.core.status()
    const voters = progress.filter(
      (peer) => peer.recentActive && membership.voters.includes(peer.id),
    )
    return voters.sort((a, b) => b.matchIndex - a.matchIndex)[0]?.id
  }

  #untilLed(by: NodeId, deadline: number): Promise<void> {
    const { core, waiters } = this.#options
    const late = new RaftError('TIMEOUT', `Member ${by} did not take over in time`)
    return waiters.add(() => core.status().leader === by, deadline, late)
  }
}
