// Operators change who takes part: members are added, promoted, removed, swapped, and whole sets replaced through a joint configuration; new ones
// start before or after they are in; those who are out are stopped, or go on and do not know. And leadership is handed over.
import type { Membership, NodeId } from '../../core/types.ts'
import { RaftError } from '../../errors.ts'
import type { SeededRandom } from '../random.ts'
import type { SimMember } from '../sim-member.ts'
import type { FaultContext } from './fault-context.ts'
import { isMinority } from './damage.ts'
import { drawTarget, outcomesOf } from './membership-targets.ts'

export function beginMembershipChanges(context: FaultContext): void {
  const changes = new MembershipChanges(context)
  changes.begin()
}

class MembershipChanges {
  readonly #context: FaultContext
  readonly #random: SeededRandom

  constructor(context: FaultContext) {
    this.#context = context
    this.#random = context.fork()
  }

  begin(): void {
    const context = this.#context
    const { profile } = context
    context.repeat(this.#random, profile.changeEveryMs, () => {
      this.#change()
    })
    context.repeat(this.#random, profile.transferEveryMs, () => {
      this.#transfer()
    })
  }

  #change(): void {
    const leader = this.#context.leader()
    const current = leader?.node?.status().membership
    if (leader === undefined || current === undefined) return
    const target = drawTarget({
      current,
      random: this.#random,
      votersMax: this.#context.profile.votersMax,
      outsiders: this.#outsiders(current),
      isWitness: (id) => this.#context.member(id)?.isWitness === true,
    })
    if (target === undefined) return
    const outcomes = outcomesOf(target)
    if (!outcomes.every((membership) => this.#isSafe(membership))) return
    this.#context.memberships.push(...outcomes)
    for (const id of membersOf(target)) this.#bringUp(id)
    void this.#propose(leader, current, target)
  }

  /** What is left of the damaged and the dead must stay a minority. */
  #isSafe(target: Membership): boolean {
    return isMinority(target, new Set(this.#context.members.filter(({ isDamaged }) => isDamaged)))
  }

  /** Who could join: those who left, and one that has never been. */
  #outsiders(current: Membership): readonly NodeId[] {
    const inside = membersOf(current)
    const isOutside = ({ id, isDead }: SimMember): boolean => !inside.includes(id) && !isDead
    if (this.#random.chance(0.5) || !this.#context.members.some(isOutside)) {
      this.#context.addMember()
    }
    return this.#context.members.filter(isOutside).map(({ id }) => id)
  }

  /** A new one may also start only when the others wait for it already. */
  #bringUp(id: NodeId): void {
    const { members, counts, scheduler, profile } = this.#context
    const member = members.find((each) => each.id === id)
    if (member === undefined || (member.hasStarted && !member.isRetired)) return
    if (!member.hasStarted) counts.membersJoined++
    member.isRetired = false
    const delayMs = this.#random.chance(0.7) ? 0 : this.#random.next() * 2 * profile.downMs
    scheduler.after(delayMs, () => {
      if (!member.isRetired) member.start()
    })
  }

  async #propose(leader: SimMember, current: Membership, target: Membership): Promise<void> {
    const { counts, onFault, onViolation } = this.#context
    counts.changesAsked++
    onFault(`${leader.id} changes the membership to ${describeMembership(target)}`)
    try {
      await leader.node?.changeMembership(target, new Map())
    } catch (error) {
      // Not the leader any more, another change is under way, or it takes too long: it may still come, or not.
      if (!(error instanceof RaftError)) onViolation(error)
      return
    }
    this.#countDone(current, target)
    onFault(`membership is ${describeMembership(target)}`)
    for (const id of membersOf(current)) if (!membersOf(target).includes(id)) this.#retire(id)
  }

  #countDone(current: Membership, target: Membership): void {
    const { counts } = this.#context
    const added = target.voters.filter((id) => !current.voters.includes(id))
    const removed = current.voters.filter((id) => !target.voters.includes(id))
    counts.changesDone++
    counts.votersAdded += added.length
    counts.votersRemoved += removed.length
    counts.learnersAdded += target.learners.filter((id) => !current.learners.includes(id)).length
    counts.learnersPromoted += added.filter((id) => current.learners.includes(id)).length
    if (added.length + removed.length > 1) counts.jointChanges++
  }

  /** Half of those who are out are stopped soon; the others stay, and may not even know that they are out. */
  #retire(id: NodeId): void {
    const { counts, onFault } = this.#context
    const member = this.#context.member(id)
    if (member === undefined || this.#random.chance(0.5)) return
    this.#context.later(this.#random.next() * 2_000, () => {
      if (this.#isInside(id)) return
      counts.membersRetired++
      onFault(`${id} retires`)
      member.isRetired = true
      member.crash('process')
    })
  }

  #isInside(id: NodeId): boolean {
    const membership = this.#context.membership()
    return membership === undefined || membersOf(membership).includes(id)
  }

  #transfer(): void {
    const { counts, onFault, onViolation } = this.#context
    const leader = this.#context.leader()
    const { voters = [], witnesses = [] } = leader?.node?.status().membership ?? {}
    const to = this.#random.pick(voters.filter((id) => !witnesses.includes(id)))
    if (leader?.node === undefined || to === undefined || to === leader.id) return
    counts.transfers++
    onFault(`transfer from ${leader.id} to ${to}`)
    leader.node.transferLeadership(to).catch((error: unknown) => {
      if (!(error instanceof RaftError)) onViolation(error)
      // Refused or timed out is as good as done: the next leader is whoever it is.
      counts.failedTransfers++
    })
  }
}

function membersOf({ voters, votersOutgoing, learners }: Membership): readonly NodeId[] {
  return [...voters, ...votersOutgoing, ...learners]
}

function describeMembership(membership: Membership): string {
  const { voters, votersOutgoing, learners, witnesses = [] } = membership
  const lists = [voters.join(' ')]
  if (votersOutgoing.length > 0) lists.push(`out ${votersOutgoing.join(' ')}`)
  if (learners.length > 0) lists.push(`learners ${learners.join(' ')}`)
  if (witnesses.length > 0) lists.push(`witnesses ${witnesses.join(' ')}`)
  return lists.join(', ')
}
