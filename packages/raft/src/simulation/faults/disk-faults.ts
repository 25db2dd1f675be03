// Disks fail: reads and syncs with EIO, once or until they are repaired; no space for a while; syncs that hang for many election timeouts. A member
// may stop because of it, and only because of such a thing.
import type { SeededRandom } from '../random.ts'
import type { SimMember } from '../sim-member.ts'
import type { FaultContext } from './fault-context.ts'

export function beginDiskFaults(context: FaultContext): void {
  new DiskFaults(context).begin()
}

class DiskFaults {
  readonly #context: FaultContext
  readonly #random: SeededRandom

  constructor(context: FaultContext) {
    this.#context = context
    this.#random = context.fork()
  }

  begin(): void {
    const random = this.#random
    const { disk } = this.#context.profile
    this.#every(disk.readErrorEveryMs, (member) => {
      this.#fault(member, 'reads fail')
      if (!random.chance(disk.stickyRate)) member.trouble.failingReads += random.integer(1, 3)
      else this.#hold(member, (isOn) => (member.trouble.failingReads = isOn ? Infinity : 0))
    })
    this.#every(disk.failedSyncEveryMs, (member) => {
      this.#fault(member, 'a sync fails')
      if (!random.chance(disk.stickyRate)) member.trouble.failingSyncs++
      else this.#hold(member, (isOn) => (member.trouble.failingSyncs = isOn ? Infinity : 0))
    })
    this.#every(disk.fullEveryMs, (member) => {
      this.#fault(member, 'is full')
      this.#hold(member, (isOn) => (member.trouble.isFull = isOn))
    })
    this.#every(disk.stuckEveryMs, (member) => {
      this.#fault(member, 'hangs')
      const { scheduler, profile } = this.#context
      const electionTimeouts = random.pick([0.5, 2, 6]) ?? 2
      const holdMs = random.next() * 2 * electionTimeouts * profile.electionTimeoutMs
      member.trouble.stuckUntil = scheduler.now + holdMs
    })
  }

  #every(meanMs: number, strike: (member: SimMember) => void): void {
    this.#context.repeat(this.#random, meanMs, () => {
      const isLeader = this.#random.chance(0.4)
      const member = isLeader ? this.#context.leader() : this.#context.anyMember(this.#random)
      if (member !== undefined) strike(member)
    })
  }

  #fault(member: SimMember, text: string): void {
    this.#context.onFault(`disk of ${member.id}: ${text}`)
  }

  #hold(member: SimMember, set: (isOn: boolean) => void): void {
    const { profile, scheduler } = this.#context
    set(true)
    scheduler.after(this.#random.next() * 2 * profile.disk.repairMs, () => {
      this.#fault(member, 'is repaired')
      set(false)
    })
  }
}
