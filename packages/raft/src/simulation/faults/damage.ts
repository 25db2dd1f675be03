// Media lie: bits flip at rest, writes land on other data, and nobody is told. Like TigerBeetle's fault atlas: what can destroy
// acknowledged data strikes at most a minority of the voters of any membership there was at a time, and members with data only if the others with
// data are a majority. A member counts until it is whole again.
import type { Membership, NodeId } from '../../core/types.ts'
import type { SeededRandom } from '../random.ts'
import type { SimMember } from '../sim-member.ts'
import type { Crashes } from './crashes.ts'
import type { FaultContext } from './fault-context.ts'

export function beginDamage(context: FaultContext, crashes: Crashes): void {
  new Damage(context, crashes).begin()
}

class Damage {
  readonly #context: FaultContext
  readonly #crashes: Crashes
  readonly #random: SeededRandom

  constructor(context: FaultContext, crashes: Crashes) {
    this.#context = context
    this.#crashes = crashes
    this.#random = context.fork()
  }

  begin(): void {
    const { damage } = this.#context.profile
    this.#every(damage.flipEveryMs, (member) => {
      this.#flip(member)
    })
    this.#every(damage.misdirectEveryMs, (member) => {
      this.#context.onFault(`a write of ${member.id} will go elsewhere`)
      member.trouble.misdirect = this.#random.fork()
    })
  }

  #every(meanMs: number, strike: (member: SimMember) => void): void {
    this.#context.repeat(this.#random, meanMs, () => {
      const member = this.#context.anyMember(this.#random)
      if (member === undefined || member.isDamaged || !this.#canStrike(member)) return
      strike(member)
      if (this.#random.chance(0.5)) this.#crashSoon(member)
    })
  }

  #canStrike(member: SimMember): boolean {
    const { members, memberships } = this.#context
    const damaged = new Set(members.filter((each) => each.isDamaged || each === member))
    return memberships.every((membership) => isMinority(membership, damaged))
  }

  #flip(member: SimMember): void {
    const random = this.#random
    const flip = member.flipBit(random)
    if (flip === undefined) return
    this.#context.counts.bitFlips++
    this.#context.onFault(`bit flip on ${member.id} in ${flip.path} at ${flip.position}`)
  }

  /** A damage is found when the files are read again. */
  #crashSoon(member: SimMember): void {
    this.#context.later(this.#random.next() * 1_000, () => {
      if (member.isUp) this.#crashes.crash(member, this.#random.chance(0.5) ? 'power' : 'process')
    })
  }
}

/**
 * Whether the others of each set of voters are a majority, and one without witnesses if a member with data is struck: what only that one and a
 * witness have, committed or not, keeps the witness from voting for anybody else.
 */
export function isMinority(membership: Membership, damaged: ReadonlySet<SimMember>): boolean {
  const ids = new Set([...damaged].map(({ id }) => id))
  return [membership.voters, membership.votersOutgoing].every((voters) => {
    const struck = voters.filter((id) => ids.has(id))
    if (struck.length === 0) return true
    const isWitness = (id: NodeId): boolean => membership.witnesses?.includes(id) === true
    const fullCount = struck.filter((id) => !isWitness(id)).length
    const quorum = Math.floor(voters.length / 2) + 1
    const wholeCount = voters.length - voters.filter(isWitness).length - fullCount
    return 2 * struck.length < voters.length && (fullCount === 0 || wholeCount >= quorum)
  })
}
