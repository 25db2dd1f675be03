// What the plans of faults share: the members and the network they strike, the seed's chances and rates, and the counts.
import type { Membership, NodeId } from '../../core/types.ts'
import type { Profile } from '../profile.ts'
import type { SeededRandom } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { SimMember } from '../sim-member.ts'
import type { SimNetwork } from '../sim-network.ts'
import { noFaults, type FaultKind } from './fault-counts.ts'

export interface FaultContextOptions {
  readonly profile: Profile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  /** All that there are now. */
  readonly members: readonly SimMember[]
  readonly initialMembership: Membership
  /** Makes a member that has never been. Undefined when there are enough. */
  readonly addMember: () => SimMember | undefined
  /** A line for the trace. */
  readonly onFault: (text: string) => void
  readonly onViolation: (reason: unknown) => void
  /** Its process stands still from now on. */
  readonly onPaused: (member: SimMember) => void
}

export class FaultContext {
  readonly profile: Profile
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly members: readonly SimMember[]
  readonly addMember: () => SimMember | undefined
  readonly onFault: (text: string) => void
  readonly onViolation: (reason: unknown) => void
  readonly onPaused: (member: SimMember) => void
  readonly counts: Record<FaultKind, number> = noFaults()
  /** All that are in force anywhere, or were asked for. */
  readonly memberships: Membership[] = []
  readonly #random: SeededRandom
  #isRunning = true

  constructor(options: FaultContextOptions) {
    this.profile = options.profile
    this.scheduler = options.scheduler
    this.network = options.network
    this.members = options.members
    this.addMember = options.addMember
    this.onFault = options.onFault
    this.onViolation = options.onViolation
    this.onPaused = options.onPaused
    this.memberships.push(options.initialMembership)
    this.#random = options.random
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** No plan strikes any more. */
  stop(): void {
    this.#isRunning = false
  }

  /** Chances of one plan, so that it does not shift those of another. */
  fork(): SeededRandom {
    return this.#random.fork()
  }

  /** Strikes again and again, in the mean every `meanMs` (0: never), until the plans stop. */
  repeat(random: SeededRandom, meanMs: number, strike: () => void): void {
    if (meanMs <= 0) return
    this.scheduler.after(random.next() * 2 * meanMs, () => {
      if (!this.#isRunning) return
      strike()
      this.repeat(random, meanMs, strike)
    })
  }

  /** After a while, unless the plans have stopped by then. */
  later(delayMs: number, action: () => void): void {
    this.scheduler.after(delayMs, () => {
      if (this.#isRunning) action()
    })
  }

  member(id: NodeId): SimMember | undefined {
    return this.members.find((member) => member.id === id)
  }

  /** The one of the highest term, of those that believe to be it. */
  leader(): SimMember | undefined {
    let newest: { readonly member: SimMember; readonly term: number } | undefined
    for (const member of this.members) {
      if (member.isPaused) continue
      const status = member.node?.status()
      if (status?.role !== 'leader') continue
      if (newest === undefined || status.term > newest.term) newest = { member, term: status.term }
    }
    return newest?.member
  }

  /** Any one of those that take part now, as the leader knows it; of all while there is none. */
  anyMember(random: SeededRandom): SimMember | undefined {
    const membership = this.membership()
    const inside = this.members.filter(({ id }) => isInside(membership, id))
    return random.pick(inside.length > 0 ? inside : this.members)
  }

  /** As the leader knows it. */
  membership(): Membership | undefined {
    return this.leader()?.node?.status().membership
  }
}

function isInside(membership: Membership | undefined, id: NodeId): boolean {
  if (membership === undefined) return true
  const { voters, votersOutgoing, learners } = membership
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id)
}
