// What goes wrong in a run, and when: one plan for each part of the world, each with rates of its seed's profile.
import type { Message, NodeId } from '../core/types.ts'
import { Crashes } from './faults/crashes.ts'
import { FaultContext, type FaultContextOptions } from './faults/fault-context.ts'
import type { FaultCounts } from './faults/fault-counts.ts'
import { beginMembershipChanges } from './faults/membership-changes.ts'
import { Partitions } from './faults/partitions.ts'

export class FaultPlan {
  readonly #context: FaultContext
  readonly #crashes: Crashes

  constructor(options: FaultContextOptions) {
    this.#context = new FaultContext(options)
    this.#crashes = new Crashes(this.#context, new Partitions(this.#context))
    beginMembershipChanges(this.#context)
  }

  get counts(): FaultCounts {
    return this.#context.counts
  }

  /** A message has arrived. */
  delivered(message: Message): void {
    this.#crashes.delivered(message)
  }

  /** A member has become leader. */
  elected(id: NodeId): void {
    this.#crashes.elected(id)
  }

  /** Faults end: links and disks heal, and whoever is down starts. */
  stop(): void {
    this.#context.stop()
    this.#context.network.heal()
    for (const member of this.#context.members) member.heal()
  }
}
