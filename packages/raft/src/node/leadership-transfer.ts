// Hands the lead over on demand and before the member closes. Proposals that come meanwhile wait in Proposals until the new leader is
// known; those that are in the log already are committed by it.
import { isSoleVoter } from '../core/membership.ts'
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
    const { id, core, waiters, clock, electionTimeoutMs } = this.#options
    const { role, membership } = core.status()
    if (role !== 'leader') throw new RaftError('NOT_LEADER', `Member ${id} does not lead`)
    if (to === id) return id
    const canLead = (one: NodeId): boolean =>
      membership.voters.includes(one) && membership.witnesses?.includes(one) !== true
    if (to !== undefined && !canLead(to)) {
      throw new RangeError(`Member ${to} is not a voter, or a witness`)
    }
    if (!membership.voters.some((one) => one !== id && canLead(one))) {
      throw new RangeError('There is no other voter that can lead')
    }
    const text = `Member ${to ?? 'that is furthest along'} did not take over in time`
    const late = new RaftError('TIMEOUT', text)
    const deadline = clock.now() + patience * electionTimeoutMs
    // A new leader has not heard of anybody yet.
    if (to === undefined) await waiters.add(() => this.#hasSuccessor(), deadline, late)
    this.#begin(to)
    const isDone = (): boolean =>
      to === undefined ? this.#isLedByAnother() : core.status().leader === to
    await waiters.add(isDone, deadline, late)
    return core.status().leader ?? id
  }

  /** If others can take the lead, one of them gets it, and what waits for an answer gets it; ends by `deadline` in any case. */
  async handOver(hasAnswered: () => boolean, deadline: number): Promise<void> {
    const { id, core } = this.#options
    const { role, membership } = core.status()
    if (role !== 'leader' || isSoleVoter(membership, id)) return
    try {
      await this.#handOver(hasAnswered, deadline)
    } catch (reason) {
      // The others elect a leader when they miss this one; and a member that failed meanwhile has nothing to hand over.
      if (!(reason instanceof RaftError)) throw reason
    }
  }

  async #handOver(hasAnswered: () => boolean, deadline: number): Promise<void> {
    const { waiters } = this.#options
    const late = new RaftError('TIMEOUT', 'Nobody took the lead over in time')
    await waiters.add(() => this.#hasSuccessor() || this.#isLedByAnother(), deadline, late)
    this.#begin(undefined)
    await waiters.add(() => this.#isLedByAnother() && hasAnswered(), deadline, late)
  }

  #begin(to: NodeId | undefined): void {
    this.#options.loop.input((core) => {
      core.transferLeadership(to)
    })
  }

  #hasSuccessor(): boolean {
    const { membership, progress } = this.#options.core.status()
    const { voters, witnesses } = membership
    return progress.some(
      ({ id, recentActive }) =>
        recentActive && voters.includes(id) && witnesses?.includes(id) !== true,
    )
  }

  #isLedByAnother(): boolean {
    const { leader } = this.#options.core.status()
    return leader !== undefined && leader !== this.#options.id
  }
}
