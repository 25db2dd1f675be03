// Links are cut: between two sides, in one direction, around one member; or clogged, so that what is sent arrives late and all at once.
import type { NodeId } from '../../core/types.ts'
import type { SeededRandom } from '../random.ts'
import type { FaultContext } from './fault-context.ts'

export class Partitions {
  readonly #context: FaultContext
  readonly #random: SeededRandom
  #number = 0

  constructor(context: FaultContext) {
    this.#context = context
    this.#random = context.fork()
    const { profile } = context
    context.repeat(this.#random, profile.partitionEveryMs, () => {
      this.cut(this.#chooseSide(), this.#random.next() * 2 * profile.partitionMs)
    })
    context.repeat(this.#random, profile.clogEveryMs, () => {
      this.#clog()
    })
  }

  /** Until it heals, or the next partition takes its place. */
  cut(inside: ReadonlySet<NodeId>, holdMs: number): void {
    const { network, onFault, counts } = this.#context
    const isOneWay = this.#random.chance(0.3)
    if (isOneWay) counts.oneWayPartitions++
    else if (inside.size === 1) counts.isolations++
    else counts.symmetricPartitions++
    onFault(`partition of ${[...inside].join(' ')}${isOneWay ? ' one way' : ''}`)
    if (isOneWay) network.block((from, to) => inside.has(from) && !inside.has(to))
    else network.block((from, to) => inside.has(from) !== inside.has(to))
    const number = ++this.#number
    this.#context.later(holdMs, () => {
      if (number !== this.#number) return
      onFault('healing')
      network.heal()
    })
  }

  #chooseSide(): ReadonlySet<NodeId> {
    const random = this.#random
    const { members } = this.#context
    const leader = this.#context.leader()
    // The leader is the one whose loss hurts.
    if (random.chance(0.4) && leader !== undefined) return new Set([leader.id])
    const size = random.integer(1, Math.max(1, Math.floor(members.length / 2)))
    const first = random.integer(0, members.length - 1)
    const ids = members.map((member) => member.id)
    return new Set([...ids, ...ids].slice(first, first + size))
  }

  /** One link, or all from one member, in one direction. */
  #clog(): void {
    const random = this.#random
    const { network, members, scheduler, profile, counts, onFault } = this.#context
    const from = random.pick(members)
    const to = random.chance(0.5) ? random.pick(members) : undefined
    if (from === undefined || from === to) return
    const holdMs = random.next() * 2 * profile.clogMs
    counts.clogs++
    onFault(`clog from ${from.id} to ${to?.id ?? 'all'}`)
    const targets = to === undefined ? members : [to]
    for (const target of targets) network.clog(from.id, target.id, scheduler.now + holdMs)
  }
}
