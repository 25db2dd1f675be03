// What goes wrong around the members: power failures and kills, cut wires, processes that stand still and machines that sleep, clocks that
// run fast or slow.
import type { NodeId } from '@balsa/raft'
import type { Scheduler, SeededRandom, SimNetwork } from '@balsa/raft/simulation'
import type { MemberProfile } from './profile.ts'
import type { SimMember } from './sim-member.ts'

export interface FaultCounts {
  powerFailures: number
  kills: number
  closes: number
  diskOperationCrashes: number
  partitions: number
  pauses: number
  suspends: number
  drifts: number
}

/** Between the word that a process will stand still and when it does. */
const pauseNoticeMs = 100

export interface ClusterFaultsOptions {
  readonly profile: MemberProfile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly members: readonly SimMember[]
  readonly onFault: (text: string) => void
  /** Its process will stand still for so long, soon. */
  readonly onPausing: (member: SimMember, noticeMs: number, holdMs: number) => void
}

export class ClusterFaults {
  readonly #options: ClusterFaultsOptions
  readonly counts: FaultCounts = {
    powerFailures: 0,
    kills: 0,
    closes: 0,
    diskOperationCrashes: 0,
    partitions: 0,
    pauses: 0,
    suspends: 0,
    drifts: 0,
  }
  #isRunning = true
  #partition = 0

  constructor(options: ClusterFaultsOptions) {
    this.#options = options
    const { profile } = options
    this.#repeat(profile.crashEveryMs, (random) => this.#crashSome(random))
    this.#repeat(profile.crashEveryMs * 2, (random) => this.#crashAtOperation(random))
    this.#repeat(profile.partitionEveryMs, (random) => this.#cut(random))
    this.#repeat(profile.pauseEveryMs, (random) => this.#pause(random))
    this.#repeat(profile.driftEveryMs, (random) => this.#drift(random))
  }

  /** Nothing more happens; what has happened stays. */
  stop(): void {
    this.#isRunning = false
  }

  /** Strikes again and again, in the mean every `meanMs` (0: never), with chances of its own. */
  #repeat(meanMs: number, strike: (random: SeededRandom) => void): void {
    const random = this.#options.random.fork()
    if (meanMs <= 0) return
    const again = (): void => {
      this.#options.scheduler.after(random.next() * 2 * meanMs, () => {
        if (!this.#isRunning) return
        strike(random)
        again()
      })
    }
    again()
  }

  /** The leader first of all: it is the one whose loss hurts. */
  #target(random: SeededRandom): SimMember | undefined {
    const { members } = this.#options
    const leader = members.find((member) => member.isLeading)
    return random.chance(0.5) ? leader : random.pick(members)
  }

  #crashSome(random: SeededRandom): void {
    const { members } = this.#options
    const chosen = this.#target(random)
    // Now and then all at once: then only what is durable remains.
    const targets = random.chance(0.15) ? members : members.filter((member) => member === chosen)
    const dice = random.next()
    for (const member of targets) {
      if (!member.isUp) continue
      if (dice < 0.85) this.#crash(member, dice < 0.6 ? 'power' : 'process', random)
      else void this.#close(member, random)
    }
  }

  #crashAtOperation(random: SeededRandom): void {
    const member = this.#target(random)
    const count = random.integer(1, random.pick([3, 10, 40]) ?? 10)
    member?.trouble.crashAt(count, () => {
      if (!this.#isRunning) return false
      this.counts.diskOperationCrashes++
      this.#crash(member, random.chance(0.8) ? 'power' : 'process', random)
      return true
    })
  }

  #crash(member: SimMember, kind: 'power' | 'process', random: SeededRandom): void {
    if (kind === 'power') this.counts.powerFailures++
    else this.counts.kills++
    this.#options.onFault(`${kind} failure of ${member.name}`)
    member.crash(kind)
    this.#startLater(member, random)
  }

  async #close(member: SimMember, random: SeededRandom): Promise<void> {
    if (member.core === undefined) return
    this.counts.closes++
    this.#options.onFault(`close of ${member.name}`)
    await member.close()
    this.#startLater(member, random)
  }

  #startLater(member: SimMember, random: SeededRandom): void {
    const { scheduler, profile, onFault } = this.#options
    scheduler.after(random.next() * 2 * profile.downMs, () => {
      if (member.isUp) return
      onFault(`start of ${member.name}`)
      member.start()
    })
  }

  #cut(random: SeededRandom): void {
    const { network, members, profile, scheduler, onFault } = this.#options
    const chosen = this.#target(random)
    const others = members.filter((member) => member === chosen || random.chance(0.3))
    const inside = new Set<NodeId>(others.map(({ id }) => id))
    const isOneWay = random.chance(0.3)
    this.counts.partitions++
    onFault(`partition of ${others.map(({ name }) => name).join(' ')}${isOneWay ? ' one way' : ''}`)
    if (isOneWay) network.block((from, to) => inside.has(from) && !inside.has(to))
    else network.block((from, to) => inside.has(from) !== inside.has(to))
    const number = ++this.#partition
    scheduler.after(random.next() * 2 * profile.partitionMs, () => {
      if (number !== this.#partition || !this.#isRunning) return
      onFault('healing')
      network.heal()
    })
  }

  #pause(random: SeededRandom): void {
    const { profile, scheduler, onPausing } = this.#options
    const member = this.#target(random)
    if (member?.isUp !== true || member.isPaused) return
    const { life } = member
    const holdMs = (0.5 + random.next()) * profile.pauseMs
    onPausing(member, pauseNoticeMs, holdMs)
    scheduler.after(pauseNoticeMs, () => {
      if (this.#isRunning && member.life === life && !member.isPaused) {
        this.#hold(member, holdMs, random)
      }
    })
  }

  #hold(member: SimMember, holdMs: number, random: SeededRandom): void {
    const { scheduler, onFault } = this.#options
    const { life } = member
    const isSuspend = random.chance(0.4)
    if (isSuspend) this.counts.suspends++
    else this.counts.pauses++
    onFault(`${isSuspend ? 'suspend' : 'pause'} of ${member.name} for ${holdMs.toFixed(0)} ms`)
    member.pause(isSuspend)
    const first = random.pick(['timer', 'client', 'client', undefined] as const)
    scheduler.after(holdMs, () => {
      if (member.life !== life || !member.isPaused) return
      onFault(`${member.name} goes on`)
      member.resume(first)
    })
  }

  #drift(random: SeededRandom): void {
    const { profile, members, onFault } = this.#options
    const member = random.pick(members)
    const part = random.pick([-1, 0, 1, random.next()]) ?? 0
    const rate = 1 + part * profile.driftRateMax
    this.counts.drifts++
    onFault(`clock of ${member?.name} runs at ${rate.toFixed(4)}`)
    member?.clock.setRate(rate)
  }
}
