// What goes wrong, and when: crashes and restarts, partitions and healings, transfers of leadership. Every next fault is drawn when the
// last one struck, until the plan is stopped.
import type { Message, NodeId } from '../core/types.ts'
import type { Profile } from './profile.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimMember } from './sim-member.ts'
import type { SimNetwork } from './sim-network.ts'

export interface FaultCounts {
  powerFailures: number
  kills: number
  ambushes: number
  closes: number
  partitions: number
  oneWayPartitions: number
  isolations: number
  transfers: number
  failedTransfers: number
}

export interface FaultPlanOptions {
  readonly profile: Profile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly members: readonly SimMember[]
  readonly onFault: (text: string) => void
}

/** A leader counts as new for this long. */
const youngLeaderMs = 300

export class FaultPlan {
  readonly #options: FaultPlanOptions
  #isRunning = true
  #partitionNumber = 0
  readonly #electedAt = new Map<NodeId, number>()
  readonly counts: FaultCounts = {
    powerFailures: 0,
    kills: 0,
    ambushes: 0,
    closes: 0,
    partitions: 0,
    oneWayPartitions: 0,
    isolations: 0,
    transfers: 0,
    failedTransfers: 0,
  }

  constructor(options: FaultPlanOptions) {
    this.#options = options
    const { profile } = options
    this.#repeat(profile.crashEveryMs, () => {
      this.#stopOne()
    })
    this.#repeat(profile.partitionEveryMs, () => {
      this.#partition()
    })
    this.#repeat(profile.transferEveryMs, () => {
      this.#transfer()
    })
  }

  #repeat(meanMs: number, strike: () => void): void {
    const { random, scheduler } = this.#options
    scheduler.after(random.next() * 2 * meanMs, () => {
      if (!this.#isRunning) return
      strike()
      this.#repeat(meanMs, strike)
    })
  }

  /** Faults end: links and disks heal, and whoever is down starts. */
  stop(): void {
    this.#isRunning = false
    this.#options.network.heal()
    for (const member of this.#options.members) member.heal()
  }

  #stopOne(): void {
    const { random, members } = this.#options
    const chosen = random.chance(0.4) ? this.#leader() : random.pick(members)
    // Now and then all at once: then only what is durable remains.
    const targets = random.chance(0.1) ? members : members.filter((member) => member === chosen)
    const dice = random.next()
    for (const member of targets) {
      if (!member.isUp) continue
      if (dice < 0.85) this.#crash(member, dice < 0.6 ? 'power' : 'process')
      else this.#close(member)
    }
  }

  #leader(): SimMember | undefined {
    return this.#options.members.find((member) => member.node?.status().role === 'leader')
  }

  #crash(member: SimMember, kind: 'power' | 'process'): void {
    if (kind === 'power') this.counts.powerFailures++
    else this.counts.kills++
    this.#options.onFault(`${kind} failure of ${member.id}`)
    member.crash(kind)
    this.#startLater(member)
  }

  /** A message has arrived: the worst moment to die is soon after. */
  delivered(message: Message): void {
    const rate = this.#ambushRate(message)
    if (rate > 0 && this.#options.random.chance(rate)) this.#ambush(message.to)
  }

  #ambushRate({ type, to }: Message): number {
    const { profile, scheduler } = this.#options
    if (type === 'requestVote' || type === 'requestVoteResult') return profile.electionAmbushRate
    if (type === 'appendEntries') return profile.logAmbushRate
    if (type !== 'appendEntriesResult') return 0
    // The first answers that a new leader gets decide what becomes of the entries of older terms.
    const isYoung = scheduler.now - (this.#electedAt.get(to) ?? -Infinity) < youngLeaderMs
    return isYoung ? profile.youngLeaderAmbushRate : profile.logAmbushRate
  }

  /** A member has become leader: its log holds what no other has. */
  elected(id: NodeId): void {
    const { random, profile, scheduler } = this.#options
    this.#electedAt.set(id, scheduler.now)
    if (random.chance(profile.leaderAmbushRate)) this.#ambush(id)
  }

  #ambush(id: NodeId): void {
    const { random, scheduler, members, profile } = this.#options
    const member = members.find((each) => each.id === id)
    const withinMs = random.pick([0, 1, 10, 50]) ?? 10
    const dice = random.next()
    scheduler.after(random.next() * withinMs, () => {
      if (!this.#isRunning || member?.isUp !== true) return
      this.counts.ambushes++
      // Long enough for the others to elect somebody else.
      const holdMs = profile.electionTimeoutMs * (1 + 4 * random.next())
      if (dice < 0.6) this.#cut(new Set([id]), holdMs)
      else this.#crash(member, dice < 0.8 ? 'power' : 'process')
    })
  }

  #anyIndex(): number {
    return this.#options.random.integer(0, this.#options.members.length - 1)
  }

  #close(member: SimMember): void {
    if (member.node === undefined) return
    this.counts.closes++
    this.#options.onFault(`close of ${member.id}`)
    void this.#closeAndStart(member)
  }

  async #closeAndStart(member: SimMember): Promise<void> {
    await member.close()
    this.#startLater(member)
  }

  #startLater(member: SimMember): void {
    const { random, profile, scheduler, onFault } = this.#options
    scheduler.after(random.next() * 2 * profile.downMs, () => {
      onFault(`start of ${member.id}`)
      member.start()
    })
  }

  #partition(): void {
    const { random, profile } = this.#options
    this.#cut(this.#chooseSide(), random.next() * 2 * profile.partitionMs)
  }

  /** Until it heals, or the next partition takes its place. */
  #cut(inside: ReadonlySet<NodeId>, holdMs: number): void {
    const { random, scheduler, network, onFault } = this.#options
    const isOneWay = random.chance(0.3)
    if (isOneWay) this.counts.oneWayPartitions++
    else if (inside.size === 1) this.counts.isolations++
    else this.counts.partitions++
    onFault(`partition of ${[...inside].join(' ')}${isOneWay ? ' one way' : ''}`)
    if (isOneWay) network.block((from, to) => inside.has(from) && !inside.has(to))
    else network.block((from, to) => inside.has(from) !== inside.has(to))
    const number = ++this.#partitionNumber
    scheduler.after(holdMs, () => {
      if (!this.#isRunning || number !== this.#partitionNumber) return
      onFault('healing')
      network.heal()
    })
  }

  #chooseSide(): ReadonlySet<NodeId> {
    const { random, members } = this.#options
    const leader = this.#leader()
    // The leader is the one whose loss hurts.
    if (random.chance(0.4) && leader !== undefined) return new Set([leader.id])
    const size = random.integer(1, Math.floor(members.length / 2))
    const first = this.#anyIndex()
    const ids = members.map((member) => member.id)
    return new Set([...ids, ...ids].slice(first, first + size))
  }

  #transfer(): void {
    const { random, members, onFault } = this.#options
    const leader = this.#leader()
    const to = random.pick(members)
    if (leader?.node === undefined || to === undefined || to === leader) return
    this.counts.transfers++
    onFault(`transfer from ${leader.id} to ${to.id}`)
    leader.node.transferLeadership(to.id).catch(() => {
      // Refused or timed out is as good as done: the next leader is whoever it is.
      this.counts.failedTransfers++
    })
  }
}
