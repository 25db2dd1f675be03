// A cluster of cores in simulated time, to try leases: clocks of different rates, members that are stopped, suspended, cut off and restarted,
// messages that come late, and reads everywhere all the time. A run is a function of its seed.
import { FreshReads } from '../../simulation/checkers/fresh-reads.ts'
import { SeededRandom } from '../../simulation/random.ts'
import type { Message, NodeId } from '../types.ts'
import { FuzzClock } from './fuzz-clock.ts'
import { bytes, config, fresh, TestMember, voters } from './test-cluster.ts'

const electionTicks = 5
const tickMs = 20
/** Of one step of the simulated time. */
const stepMs = 1

interface LeaseMember {
  readonly member: TestMember
  readonly clock: FuzzClock
  /** By its own clock. */
  nextTickMs: number
  pausedUntilMs: number
  /** From and to whom nothing passes. */
  cutOff: ReadonlySet<NodeId>
  cutUntilMs: number
}

interface Flight {
  readonly message: Message
  readonly arrivesMs: number
}

export class LeaseWorld {
  readonly #random: SeededRandom
  readonly #reads = new FreshReads()
  readonly #members: LeaseMember[]
  readonly #pending = new Map<string, (index: number) => void>()
  #flights: Flight[] = []
  #nowMs = 0
  #contexts = 0
  /** Reads that a leader of several voters answered without asking them. */
  leaseReads = 0
  elections = 0

  constructor(seed: number) {
    this.#random = new SeededRandom(seed)
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, this.#random.chance(0.7) ? 3 : 5)
    const driftRateMax = this.#random.pick([0, 0.1, 0.4]) ?? 0
    this.#members = names.map((name) => {
      const random = this.#random.fork()
      const clock = new FuzzClock(() => this.#nowMs, random, driftRateMax)
      const leaseReads = clock.leaseReads(tickMs, driftRateMax)
      const memberConfig = config(name, { electionTicks, leaseReads, random: () => random.next() })
      const member = new TestMember(memberConfig, fresh(voters(...names)))
      return { member, clock, nextTickMs: 0, pausedUntilMs: 0, cutOff: new Set(), cutUntilMs: 0 }
    })
  }

  run(durationMs: number): void {
    while (this.#nowMs < durationMs) {
      this.#nowMs += stepMs
      if (this.#random.chance(0.006)) this.#disturb()
      this.#deliver()
      for (const of of this.#members) if (!this.#isPaused(of)) this.#act(of)
    }
  }

  #isPaused(of: LeaseMember): boolean {
    if (of.pausedUntilMs > this.#nowMs) return true
    of.clock.resume()
    return false
  }

  #act(of: LeaseMember): void {
    const { member } = of
    const ownMs = member.config.leaseReads?.monotonicMs() ?? 0
    if (ownMs >= of.nextTickMs) {
      // Timers of a busy process come late, and after that early.
      of.nextTickMs = ownMs + tickMs * (0.6 + 0.6 * this.#random.next())
      member.core.tick()
    }
    if (this.#random.chance(0.02)) member.core.propose([bytes('x')])
    if (this.#random.chance(0.2)) this.#read(member)
    this.#drain(member)
  }

  #read(member: TestMember): void {
    const context = this.#contexts++
    this.#pending.set(`${member.id} ${context}`, this.#reads.reading())
    const { role } = member.core.status()
    member.core.readIndex(context)
    this.#drain(member)
    const isAnswered = !this.#pending.has(`${member.id} ${context}`)
    if (role === 'leader' && isAnswered) this.leaseReads++
  }

  #drain(member: TestMember): void {
    for (const message of member.drain()) this.#send(message)
    for (const { context, index } of member.reads.splice(0)) {
      const answer = this.#pending.get(`${member.id} ${context}`)
      this.#pending.delete(`${member.id} ${context}`)
      if (index !== undefined) answer?.(index)
    }
    const { role, commitIndex } = member.core.status()
    if (role === 'leader') this.#reads.visible(commitIndex)
  }

  #send(message: Message): void {
    if (message.type === 'requestVote' && !message.preVote) this.elections++
    const isLate = this.#random.chance(0.03)
    const delayMs = this.#random.next() * (isLate ? 400 : 8)
    this.#flights.push({ message, arrivesMs: this.#nowMs + delayMs })
  }

  #deliver(): void {
    const due: Flight[] = []
    const later: Flight[] = []
    for (const flight of this.#flights) {
      const to = this.#member(flight.message.to)
      const isDue = flight.arrivesMs <= this.#nowMs && to !== undefined && !this.#isPaused(to)
      ;(isDue ? due : later).push(flight)
    }
    this.#flights = later
    for (const { message } of due.sort((x, y) => x.arrivesMs - y.arrivesMs)) this.#arrive(message)
  }

  #arrive(message: Message): void {
    const from = this.#member(message.from)
    const to = this.#member(message.to)
    if (from === undefined || to === undefined || this.#random.chance(0.01)) return
    if (this.#isCut(from, to) || this.#isCut(to, from)) return
    to.member.core.step(message)
    to.member.core.verify()
    this.#drain(to.member)
  }

  #isCut(of: LeaseMember, other: LeaseMember): boolean {
    return of.cutUntilMs > this.#nowMs && of.cutOff.has(other.member.id)
  }

  #member(id: NodeId): LeaseMember | undefined {
    return this.#members.find(({ member }) => member.id === id)
  }

  /** The leader is worth disturbing. */
  #disturb(): void {
    const leads = (of: LeaseMember): boolean => of.member.core.status().role === 'leader'
    const leaders = this.#members.filter(leads)
    const chosen = this.#random.chance(0.6) ? leaders : this.#members
    const of = this.#random.pick(chosen)
    if (of === undefined || of.pausedUntilMs > this.#nowMs) return
    const untilMs = this.#nowMs + this.#random.next() * 600
    const dice = this.#random.next()
    if (dice < 0.4) this.#cut(of, untilMs)
    else if (dice < 0.6) {
      of.pausedUntilMs = untilMs
      if (this.#random.chance(0.5)) of.clock.suspend()
    } else if (dice < 0.8) this.#restart(of)
    else of.member.core.transferLeadership(undefined)
  }

  /** From everybody, or from some. */
  #cut(of: LeaseMember, untilMs: number): void {
    const isSome = this.#random.chance(0.6)
    const others = this.#members.filter(() => !isSome || this.#random.chance(0.5))
    of.cutOff = new Set(others.map(({ member }) => member.id))
    of.cutUntilMs = untilMs
  }

  #restart({ member }: LeaseMember): void {
    member.crash()
    for (const key of this.#pending.keys()) {
      if (key.startsWith(`${member.id} `)) this.#pending.delete(key)
    }
  }
}
