// Liveness once faults have stopped: everybody who takes part, as the leader of the highest term knows it, takes a write (but witnesses, which take
// none), nobody is left without an answer, and all have applied the same.
import type { NodeId } from '../core/types.ts'
import type { Clients } from './clients.ts'
import type { SimMember } from './sim-member.ts'

export class Convergence {
  readonly #members: readonly SimMember[]
  readonly #clients: Clients
  readonly #written = new Set<SimMember>()

  constructor(members: readonly SimMember[], clients: Clients) {
    this.#members = members
    this.#clients = clients
  }

  /** Tries every member that has not taken a write yet. */
  writeAtEach(): void {
    const inside = this.inside()
    // A change that was under way may have let somebody go.
    for (const member of this.#written) {
      if (inside.length > 0 && !inside.includes(member)) this.#written.delete(member)
    }
    for (const member of inside) {
      if (member.isWitness || this.#written.has(member)) continue
      this.#clients.write(member, (isWritten) => {
        if (isWritten) this.#written.add(member)
      })
    }
  }

  /** Voters and learners; nobody while there is no leader, or while it is on its way from one set of voters to the next. */
  inside(): readonly SimMember[] {
    const statuses = this.#members.flatMap(({ node }) => node?.status() ?? [])
    const leaders = statuses.filter(({ role }) => role === 'leader')
    const leader = leaders.sort((a, b) => b.term - a.term)[0]
    if (leader === undefined || leader.membership.votersOutgoing.length > 0) return []
    const ids = new Set<NodeId>([...leader.membership.voters, ...leader.membership.learners])
    return this.#members.filter(({ id, isDead }) => ids.has(id) && !isDead)
  }

  isReached(): boolean {
    // Called after every step: what costs little goes first.
    const [first] = this.#written
    if (first === undefined || this.#clients.unanswered() !== undefined) return false
    for (const { appliedIndex } of this.#written) {
      if (appliedIndex !== first.appliedIndex) return false
    }
    const inside = this.inside()
    const index = inside[0]?.appliedIndex
    if (index === undefined) return false
    return inside.every(
      (member) => (member.isWitness || this.#written.has(member)) && member.appliedIndex === index,
    )
  }

  describe(): string {
    const states = this.#members.map((member) => JSON.stringify(member.node?.status() ?? member.id))
    const request = this.#clients.unanswered() ?? 'nothing'
    return `no convergence after faults; unanswered: ${request}\n${states.join('\n')}`
  }
}
