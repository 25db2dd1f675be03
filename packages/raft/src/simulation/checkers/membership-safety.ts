// Membership safety (thesis 4.1, 4.3): every two memberships that follow each other in the log have no two quorums without a common member;
// one change is under way at a time; and nobody leads who has no vote.
import { decodeMembership } from '../../core/membership.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type Membership,
  type NodeId,
  type RaftStatus,
} from '../../core/types.ts'
import { isQuorum } from './quorum.ts'
import { Violation, type AppliedEntry, type Checker, type ObservedMember } from './checker.ts'

export class MembershipSafety implements Checker {
  readonly property = 'membership safety'
  #current: Membership | undefined
  #appliedIndex: LogIndex = 0
  #changeCount = 0

  /** Changes of membership that took effect. */
  get changeCount(): number {
    return this.#changeCount
  }

  started(member: ObservedMember): void {
    this.#current ??= member.core.status().membership
  }

  stepped(member: ObservedMember, { role, term, membership }: RaftStatus): void {
    if (role !== 'leader') return
    const { voters, votersOutgoing, witnesses = [] } = membership
    if (member.isWitness === true || witnesses.includes(member.id)) {
      throw new Violation(this.property, `${member.id} leads term ${term} and is a witness`)
    }
    if (voters.includes(member.id) || votersOutgoing.includes(member.id)) return
    throw new Violation(this.property, `${member.id} leads term ${term} and has no vote`)
  }

  persisting(member: ObservedMember, entries: readonly Entry[]): void {
    const { role, commitIndex } = member.core.status()
    if (role !== 'leader') return
    for (const { type, index } of entries) {
      if (type !== entryType.membership) continue
      for (let i = commitIndex + 1; i < index; i++) {
        if (member.core.log.entryAt(i)?.type !== entryType.membership) continue
        const detail = `${member.id} appended change ${index} while ${i} was not committed`
        throw new Violation(this.property, detail)
      }
    }
  }

  /** Entries are applied for the first time in the order of the log, whoever does it. */
  applied(member: ObservedMember, { index }: AppliedEntry): void {
    if (index <= this.#appliedIndex) return
    this.#appliedIndex = index
    const entry = member.core.log.entryAt(index)
    const next = entry?.type === entryType.membership ? decodeMembership(entry.data) : undefined
    const current = this.#current
    if (next === undefined || current === undefined) return
    this.#changeCount++
    this.#current = next
    const side = findDisjointQuorum(current, next)
    if (side === undefined) return
    const text = `${[...side].join()} decide in ${describe(current)} and the others in ${describe(next)}`
    throw new Violation(this.property, `change ${index}: ${text}`)
  }
}

/** Members that are a quorum of one while all others are one of the other. */
export function findDisjointQuorum(a: Membership, b: Membership): ReadonlySet<NodeId> | undefined {
  const all = [...new Set([...a.voters, ...a.votersOutgoing, ...b.voters, ...b.votersOutgoing])]
  for (let bits = 0; bits < 2 ** all.length; bits++) {
    const side = new Set(all.filter((_, i) => ((bits >> i) & 1) === 1))
    if (isQuorum(a, (id) => side.has(id)) && isQuorum(b, (id) => !side.has(id))) return side
  }
  return undefined
}

function describe({ voters, votersOutgoing }: Membership): string {
  return votersOutgoing.length === 0 ? voters.join() : `${voters.join()}+${votersOutgoing.join()}`
}
