// A cluster of cores driven by chance: messages arrive late, twice or never, disks lag, members crash and lose what was not persisted, or
// half of the write that was under way. Every checker looks after every step. A run is a function of its seed.
import { crc32 } from 'node:zlib'
import { DefaultCheckers } from '../../simulation/checkers/default-checkers.ts'
import type { ObservedMember } from '../../simulation/checkers/checker.ts'
import { SeededRandom } from '../../simulation/random.ts'
import { priorityDefault } from '../candidacy.ts'
import { hasQuorum } from '../quorum.ts'
import { decodeMembership } from '../membership.ts'
import {
  entryType,
  type Entry,
  type Membership,
  type Message,
  type NodeId,
  type Ready,
} from '../types.ts'
import { FuzzClock } from './fuzz-clock.ts'
import { bytes, config, fresh, ids, nodeId, TestMember, voters } from './test-cluster.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly steps: number
}

interface FuzzMember {
  readonly member: TestMember
  readonly clock: FuzzClock
  readonly priority: number
  life: number
  /** Does nothing before that step: its process is stopped, or its machine suspended. */
  pausedUntil: number
}

const electionTicks = 10
const tickMs = 100

export class FuzzWorld {
  readonly random: SeededRandom
  readonly checkers: DefaultCheckers = new DefaultCheckers({
    initial: undefined,
    step: (state) => ({ state, output: undefined }),
  })
  readonly #members: FuzzMember[]
  readonly #steps: number
  /** How often a disk lost what was written. */
  losses = 0
  /** Entries were read back so often. */
  fetches = 0
  /** Ended without enough members that may vote. */
  isStuck = false
  /** How often a learner that was to be promoted became a voter. */
  promotions = 0
  #wire: Message[] = []
  #nowMs = 0
  #stepMs: number
  #stepCount = 0
  #lives = 0
  #commands = 0
  #contexts = 0
  #isCut: (from: NodeId, to: NodeId) => boolean = () => false
  #lossRate: number
  readonly #recklessness: number
  /** Of this world, if it has one; a voter or nothing. */
  readonly #witness: NodeId | undefined
  readonly #readAnswers = new Map<string, (index: number) => void>()

  constructor(options: FuzzOptions) {
    this.random = new SeededRandom(options.seed)
    this.#steps = options.steps
    this.#lossRate = this.random.next() * 0.2
    this.#recklessness = this.random.chance(0.05) ? 0.5 : 0
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, this.random.chance(0.6) ? 3 : 5)
    // Ticks come once a hundred milliseconds or so; leases must not rely on it.
    this.#stepMs = (1.6 * this.random.next() + 0.2) * (3 / names.length)
    const driftRateMax = this.random.pick([0, 0.05, 0.3]) ?? 0
    const hasLeases = this.random.chance(0.6)
    this.#witness = this.random.chance(0.25) ? names.map(nodeId).at(-1) : undefined
    const limits = {
      electionTicks,
      messageSizeBytesMax: this.random.integer(40, 300),
      inflightMessagesMax: this.random.integer(1, 8),
      uncommittedSizeBytesMax: this.random.integer(100, 4000),
      entryCacheSizeBytesMax: this.random.integer(0, 400),
    }
    const hasPriorities = this.random.chance(0.4)
    this.#members = names.map((name) => {
      const random = this.random.fork()
      const clock = new FuzzClock(() => this.#nowMs, random, driftRateMax)
      // Only one at most never campaigns, or nobody might.
      const drawn = random.integer(name === 'c' ? 0 : 1, 3)
      const priority = hasPriorities ? drawn : priorityDefault
      const memberConfig = config(name, {
        ...limits,
        priority,
        ...(hasLeases ? { leaseReads: clock.leaseReads(tickMs, driftRateMax) } : {}),
        random: () => random.next(),
      })
      const member = new TestMember(memberConfig, fresh(this.#withWitness(voters(...names))))
      member.autoPersist = false
      member.autoFetch = false
      return { member, clock, priority, life: this.#lives++, pausedUntil: 0 }
    })
    for (const member of this.#members) this.#watch(member)
  }

  /** As `membership`, with the witness as what it is. */
  #withWitness(membership: Membership): Membership {
    const witness = this.#witness
    if (witness === undefined || !membership.voters.includes(witness)) return membership
    return { ...membership, witnesses: [witness] }
  }

  #observed(of: FuzzMember): ObservedMember {
    const { id, core, config: memberConfig, stored: restored } = of.member
    const isWitness = id === this.#witness
    return { id, life: of.life, core, config: memberConfig, restored, isWitness }
  }

  #watch(of: FuzzMember): void {
    this.checkers.started(this.#observed(of))
    of.member.onReady = (ready) => {
      this.checkers.handingOut(this.#observed(of), ready)
    }
    of.member.onApplied = (entry) => {
      this.#watchPromotion(of, entry)
      // It has no payloads to compare.
      if (of.member.id === this.#witness) return
      const { index, term, data } = entry
      const content = { numbers: [], commands: [data], checksum: crc32(data) }
      this.checkers.applied(this.#observed(of), { index, term, ...content })
    }
  }

  run(): void {
    for (let step = 0; step < this.#steps; step++) this.#step()
  }

  /** Faults end: a leader must be elected, commit something new, and every member of the cluster must follow. */
  converge(): void {
    for (const of of this.#members) this.#heal(of)
    this.#isCut = () => false
    this.#lossRate = 0
    for (let round = 0; round < 400; round++) {
      if (round % 40 === 20) this.#proposeAtLeader()
      this.#round()
      if (round > 100 && this.#hasConverged()) return
    }
    // Too few are left whose vote is worth something: nothing happens any more, and nothing wrong.
    if (this.#leader() === undefined && !this.#canElectWithout()) {
      this.isStuck = true
      return
    }
    const statuses = this.#members.map(({ member }) => JSON.stringify(member.core.status()))
    throw new Error(`The cluster does not converge:\n${statuses.join('\n')}`)
  }

  #heal(of: FuzzMember): void {
    of.clock.resume()
    of.pausedUntil = 0
    of.member.core.diskStalled(false)
  }

  #round(): void {
    this.#nowMs += tickMs
    for (const { member } of this.#members) member.core.tick()
    for (let i = 0; i < 4; i++) {
      for (const of of this.#members) {
        this.#drain(of)
        this.#persist(of.member, of.member.pending.length)
        this.#fetch(of.member, of.member.fetches.length)
        this.#drain(of)
      }
      for (const message of this.#wire.splice(0)) this.#arrive(message, false)
      for (const each of this.#members) this.checkers.stepped(this.#observed(each))
    }
  }

  #proposeAtLeader(): void {
    const leader = this.#leader()
    if (leader !== undefined) this.#propose(leader)
  }

  #leader(): TestMember | undefined {
    const isLeader = ({ member }: FuzzMember): boolean => member.core.status().role === 'leader'
    const leaders = this.#members.filter(isLeader).map(({ member }) => member)
    return leaders.sort((a, b) => b.core.status().term - a.core.status().term)[0]
  }

  #hasConverged(): boolean {
    const leader = this.#leader()?.core.status()
    if (leader === undefined || leader.appliedIndex !== leader.lastIndex) return false
    if (leader.membership.votersOutgoing.length > 0) return false
    if (leader.membership.promoting !== undefined) return false
    const { voters, learners } = leader.membership
    const inside = this.#members.filter(({ member }) =>
      [...voters, ...learners].includes(member.id),
    )
    return inside.every(({ member }) => {
      const { appliedIndex, term, isRecovering } = member.core.status()
      return appliedIndex === leader.appliedIndex && term === leader.term && !isRecovering
    })
  }

  #step(): void {
    this.#stepCount++
    this.#nowMs += this.random.next() * 2 * this.#stepMs
    const of = this.random.pick(this.#members)
    if (of === undefined || this.#isPaused(of)) return
    const { member } = of
    const dice = this.random.next()
    if (dice < 0.6) this.#deliver()
    else if (dice < 0.66) member.core.tick()
    else if (dice < 0.87) this.#persist(member)
    else if (dice < 0.9) this.#fetch(member)
    else if (dice < 0.97) this.#propose(member)
    else this.#disturb(of)
    if (this.random.chance(0.8)) this.#drain(of)
    for (const each of this.#members) this.checkers.stepped(this.#observed(each))
  }

  #isPaused(of: FuzzMember): boolean {
    if (of.pausedUntil > this.#stepCount) return true
    of.clock.resume()
    return false
  }

  #deliver(): void {
    const index = this.random.integer(0, this.#wire.length - 1)
    const message = this.#wire[index]
    if (message === undefined) return
    const receiver = this.#members.find((each) => each.member.id === message.to)
    if (receiver !== undefined && this.#isPaused(receiver)) return
    if (!this.random.chance(0.05)) {
      this.#wire[index] = this.#wire[this.#wire.length - 1] ?? message
      this.#wire.pop()
    }
    const isCut = this.#isCut(message.from, message.to)
    this.#arrive(message, isCut || this.random.chance(this.#lossRate))
  }

  #arrive(message: Message, isLost: boolean): void {
    if (message.type === 'installSnapshot') {
      const sender = this.#members.find((each) => each.member.id === message.from)
      sender?.member.core.reportSnapshot(message.to, !isLost)
    }
    const receiver = this.#members.find((each) => each.member.id === message.to)
    if (isLost || receiver === undefined) return
    receiver.member.core.step(message)
    receiver.member.core.verify()
    this.checkers.stepped(this.#observed(receiver))
    this.#drain(receiver)
  }

  #persist(member: TestMember, count: number = this.random.integer(1, 3)): void {
    const readys = member.pending.slice(0, count)
    const of = this.#members.find((each) => each.member === member)
    if (of === undefined) return
    for (const { sequence } of readys) this.checkers.persisted(this.#observed(of), sequence)
    this.#wire.push(...member.persistAll(count))
    this.checkers.stepped(this.#observed(of))
    for (const { persist } of readys) {
      if (persist?.snapshot !== undefined) {
        this.checkers.restored(this.#observed(of), persist.snapshot)
      }
    }
  }

  #fetch(member: TestMember, count = 1): void {
    this.fetches += Math.min(count, member.fetches.length)
    member.answerFetches(count)
  }

  #propose(member: TestMember): void {
    const count = this.random.integer(1, 4)
    const payloads = Array.from({ length: count }, () => bytes(`command ${this.#commands++}`))
    member.core.propose(payloads)
  }

  #disturb(of: FuzzMember): void {
    const { member } = of
    const dice = this.random.next()
    if (dice < 0.02) this.#loseWrites(of)
    else if (dice < 0.12) this.#crash(of)
    else if (dice < 0.4) this.#cutSome()
    else if (dice < 0.55) this.#compact(member)
    else if (dice < 0.63) this.#transfer(member)
    else if (dice < 0.73) this.#changeMembership(this.#leader() ?? member)
    else if (dice < 0.77) member.core.diskStalled(this.random.chance(0.3))
    else if (dice < 0.82) this.#pause(of)
    else this.#read(of)
  }

  /** For up to several election timeouts of the others. */
  #pause(of: FuzzMember): void {
    of.pausedUntil = this.#stepCount + this.random.integer(1, 600)
    if (this.random.chance(0.5)) of.clock.suspend()
  }

  #crash(of: FuzzMember): void {
    const { member } = of
    // The write under way may have reached the disk in part: entries without the hard state that follows them.
    const torn = member.pending[0]
    if (torn?.persist !== undefined && this.random.chance(0.5)) this.#tear(member, torn)
    this.#restart(of)
  }

  #restart(of: FuzzMember): void {
    const { member } = of
    of.clock.resume()
    member.crash()
    of.life = this.#lives++
    for (const key of this.#readAnswers.keys()) {
      if (key.startsWith(`${member.id} `)) this.#readAnswers.delete(key)
    }
    this.#watch(of)
  }

  /** Not if so many are recovering already that nobody could be elected any more, most of the time. */
  #loseWrites(of: FuzzMember): void {
    if (!this.#canElectWithout(of) && !this.random.chance(this.#recklessness)) return
    // The payload of what it committed with the witness alone would be gone for good.
    if (this.#witness !== undefined && of.member.id !== this.#witness) return
    of.member.loseWrites(this.random.integer(1, 20))
    this.losses++
    this.#restart(of)
  }

  /** Whether every membership that somebody has in mind has a quorum of members that have a vote to give. */
  #canElectWithout(lost?: FuzzMember): boolean {
    // One that never campaigns may be the only one whose log is new enough to win.
    const recovering = this.#members.filter(
      (each) =>
        each === lost || each.priority === 0 || each.member.stored.hardState.isRecovering === true,
    )
    const without = new Set(recovering.map(({ member }) => member.id))
    return this.#members.every(({ member }) =>
      hasQuorum(member.core.status().membership, (id) => !without.has(id)),
    )
  }

  #tear(member: TestMember, ready: Ready): void {
    const { persist } = ready
    if (persist === undefined) return
    const entries = persist.entries.slice(0, this.random.integer(0, persist.entries.length))
    const isWhole = entries.length === persist.entries.length && this.random.chance(0.5)
    const hardState = isWhole ? persist.hardState : undefined
    member.store({ ...ready, persist: { ...persist, entries, hardState } })
  }

  #cutSome(): void {
    const cut = new Set(this.#members.filter(() => this.random.chance(0.4)).map((m) => m.member.id))
    const isOneWay = this.random.chance(0.3)
    if (this.random.chance(0.7)) this.#isCut = () => false
    else if (isOneWay) this.#isCut = (from, to) => cut.has(from) && !cut.has(to)
    else this.#isCut = (from, to) => cut.has(from) !== cut.has(to)
  }

  #compact(member: TestMember): void {
    const { appliedIndex, firstIndex } = member.core.status()
    const stored = member.stored.entries.some((entry) => entry.index === appliedIndex)
    if (!stored || appliedIndex < firstIndex) return
    const index = this.random.integer(firstIndex, appliedIndex)
    if (member.stored.entries.some((entry) => entry.index === index)) member.compact(index)
  }

  #transfer(member: TestMember): void {
    const to = this.random.chance(0.3) ? undefined : this.random.pick(this.#members)?.member.id
    member.core.transferLeadership(to)
  }

  #changeMembership(member: TestMember): void {
    const all = this.#members.map((each) => each.member.id)
    const chosen = all.filter(() => this.random.chance(0.8))
    const learners = all.filter((id) => !chosen.includes(id) && this.random.chance(0.5))
    const canLead = this.#members.some(
      (of) => of.priority > 0 && of.member.id !== this.#witness && chosen.includes(of.member.id),
    )
    const promoting = learners.filter((id) => id !== this.#witness && this.random.chance(0.5))
    const target: Membership = {
      voters: canLead ? chosen : ids('a'),
      votersOutgoing: [],
      learners: canLead ? learners.filter((id) => id !== this.#witness) : [],
      ...(canLead && promoting.length > 0 ? { promoting } : {}),
    }
    member.core.proposeMembership(this.#withWitness(target))
  }

  #read(of: FuzzMember): void {
    const context = this.#contexts++
    this.#readAnswers.set(`${of.member.id} ${context}`, this.checkers.freshReads.reading())
    of.member.core.readIndex(context)
  }

  #watchPromotion(of: FuzzMember, entry: Entry): void {
    if (entry.type !== entryType.membership) return
    const { promoting = [] } = of.member.core.status().membership
    const next = decodeMembership(entry.data)
    if (promoting.some((id) => next?.voters.includes(id) === true)) this.promotions++
  }

  #drain(of: FuzzMember): void {
    const { member } = of
    this.#wire.push(...member.drain())
    for (const read of member.reads.splice(0)) {
      const key = `${member.id} ${read.context}`
      const answer = this.#readAnswers.get(key)
      this.#readAnswers.delete(key)
      // The read index itself is what must be fresh: the shell waits until the state has reached it.
      if (read.index !== undefined) answer?.(read.index)
    }
    const { commitIndex, role } = member.core.status()
    if (role === 'leader') this.checkers.freshReads.visible(commitIndex)
    if (this.#wire.length > 500) this.#wire = this.#wire.slice(250)
  }
}
