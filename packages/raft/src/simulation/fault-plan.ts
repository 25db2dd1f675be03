// What goes wrong in a run, and when: one plan for each part of the world, each with rates of its seed's profile.
import type { Message, NodeId } from '../core/types.ts'
import type { DiskStrike } from './disk-trouble.ts'
import { Crashes } from './faults/crashes.ts'
import { beginDamage } from './faults/damage.ts'
import { beginDiskFaults } from './faults/disk-faults.ts'
import { FaultContext, type FaultContextOptions } from './faults/fault-context.ts'
import type { FaultCounts } from './faults/fault-counts.ts'
import { beginMembershipChanges } from './faults/membership-changes.ts'
import { Partitions } from './faults/partitions.ts'
import { beginPauses } from './faults/pauses.ts'
import { beginUpgrades } from './faults/upgrades.ts'
import type { SimMember } from './sim-member.ts'

export class FaultPlan {
  readonly #context: FaultContext
  readonly #crashes: Crashes

  constructor(options: FaultContextOptions) {
    this.#context = new FaultContext(options)
    this.#crashes = new Crashes(this.#context, new Partitions(this.#context))
    beginUpgrades(this.#context, this.#crashes)
    beginPauses(this.#context)
    beginDiskFaults(this.#context)
    beginDamage(this.#context, this.#crashes)
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

  /** A member has stopped by itself, as it may with such a disk. */
  gaveUp(member: SimMember): void {
    if (member.isDead) this.#context.counts.membersRefused++
    this.#crashes.gaveUp(member)
  }

  /** A member is whole again. */
  healed(): void {
    this.#context.counts.membersHealed++
  }

  /** An operation of a disk has gone wrong, or hangs. */
  diskStruck(strike: DiskStrike): void {
    this.#context.counts[strike]++
  }

  /** Faults end: links and disks heal, and whoever is down starts. */
  stop(): void {
    this.#context.stop()
    this.#context.network.heal()
    for (const member of this.#context.members) {
      if (member.isOld) this.#crashes.upgrade(member)
      member.heal()
    }
  }
}
