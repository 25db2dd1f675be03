// Nothing fails and nobody asks for anything: then nothing may happen but heartbeats. No election, no new term, no entry, no crash, on no member
// that takes part: a cluster that is never at rest wears out its disks and one day its luck.
import type { LogIndex, NodeId, Term } from '../core/types.ts'

/** Simulated time at rest, many election timeouts. */
export const calmMs = 60_000
/** Before: what waited for a timeout, or comes of itself after a change of membership, has its time. */
export const settleMs = 10_000

interface Resting {
  readonly id: NodeId
  readonly lifeNumber: number | undefined
  readonly node: { status(): Omit<Rest, 'life'> } | undefined
}

interface Rest {
  readonly life: number | undefined
  readonly term: Term
  readonly leader: NodeId | undefined
  readonly lastIndex: LogIndex
}

export class Calm {
  readonly #before: ReadonlyMap<Resting, Rest>

  constructor(members: readonly Resting[]) {
    this.#before = new Map(members.map((member) => [member, restOf(member)]))
  }

  /** What happened all the same; undefined if nothing did. */
  disturbance(): string | undefined {
    for (const [member, before] of this.#before) {
      const [was, is] = [JSON.stringify(before), JSON.stringify(restOf(member))]
      if (was !== is) return `${member.id} did not rest: ${was} became ${is}`
    }
    return undefined
  }
}

function restOf(member: Resting): Rest {
  const { term = 0, leader, lastIndex = 0 } = member.node?.status() ?? {}
  return { life: member.lifeNumber, term, leader, lastIndex }
}
