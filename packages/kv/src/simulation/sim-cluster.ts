// A cluster of whole members on simulated disks, tables, network and time, with everything that they decide and say checked after every
// step. What happens to it, and what is asked of it, is for others to say: chance (world.ts), or a script (testing/scene.ts).
import {
  peerWire,
  Scheduler,
  SimNetwork,
  Trace,
  type NetworkFaults,
  SeededRandom,
} from '@balsa/raft/simulation'
import { Checkers } from './checkers/checkers.ts'
import { Clients } from './clients.ts'
import { CommittedHistory } from './committed-history.ts'
import type { MemberPlantName } from './plants.ts'
import type { MemberProfile } from './profile.ts'
import { anyRange, Requests } from './requests.ts'
import { SimMember } from './sim-member.ts'
import { Operator } from './operator.ts'
import { changeAlarms } from './sim-alarm.ts'
import { SimRoster, urlOf, type NewMember } from './sim-roster.ts'
import { SimUsers, type UserName } from './sim-users.ts'
import { unsaidCommands } from '../member/command.ts'
import { Violation } from './violation.ts'
import { WatchClients } from './watch-clients.ts'

/** How long a healed cluster may take to serve everybody again and to end leases that nobody renews. */
const convergenceMs = 60_000
const attemptEveryMs = 250
const idleTurnsMax = 100
const memberNames = 'abcdefgh'.split('')
/** Old revisions that are read everywhere in the end. */
const auditedRevisionsMax = 12
const noFaults: NetworkFaults = {
  lossRate: 0,
  repeatRate: 0,
  delayMinMs: 1,
  delayMaxMs: 1,
  delaySlowMs: 1,
  slowRate: 0,
  isOrdered: true,
}

export interface SimClusterOptions {
  readonly profile: MemberProfile
  readonly random: SeededRandom
  /** Chances of what only some seeds have. */
  readonly extras?: SeededRandom
  readonly plant?: MemberPlantName | undefined
  readonly onTrace?: ((line: string) => void) | undefined
}

export class SimCluster {
  readonly profile: MemberProfile
  readonly scheduler: Scheduler = new Scheduler()
  readonly network: SimNetwork
  readonly trace: Trace
  readonly history: CommittedHistory
  readonly checkers: Checkers
  readonly members: SimMember[]
  /** Undefined: nobody comes or goes. */
  readonly roster: SimRoster | undefined
  readonly #operator: Operator
  readonly requests: Requests
  readonly clients: Clients
  readonly watchClients: WatchClients
  steps = 0
  lives = 0
  /** What is to be checked when this step is over. */
  #checks: (() => void)[] = []
  #violation: { readonly reason: unknown } | undefined
  readonly #extras: SeededRandom
  readonly #plant: MemberPlantName | undefined

  constructor(options: SimClusterOptions) {
    const { profile, random, plant } = options
    const { extras = new SeededRandom(0) } = options
    this.profile = profile
    this.#extras = extras
    this.#plant = plant
    const now = (): number => this.scheduler.now
    this.trace = new Trace(now, options.onTrace)
    this.history = new CommittedHistory(now)
    const { history } = this
    this.checkers = new Checkers({ history, now, profile })
    this.network = new SimNetwork({
      scheduler: this.scheduler,
      random: random.fork(),
      wire: peerWire,
      onDelivered: (message, fingerprint) => this.trace.delivered(message, fingerprint),
    })
    this.network.faults = profile.network
    this.members = this.#makeMembers(random.fork())
    this.requests = new Requests(profile, random.fork())
    const shared = {
      profile,
      scheduler: this.scheduler,
      members: this.members,
      requests: this.requests,
      check: (work: () => void): void => this.check(work),
      onNote: (text: string): void => this.trace.note(text),
    }
    this.#operator = new Operator({ ...shared, random: extras.fork() })
    this.roster = this.#makeRoster(extras.fork())
    const users = this.#makeUsers(extras.fork())
    const { checkers } = this
    this.clients = new Clients({ ...shared, random: random.fork(), checkers, users })
    const losesEvents = plant === 'lost-event'
    this.watchClients = new WatchClients({
      ...shared,
      random: random.fork(),
      history,
      losesEvents,
      hasUsers: users !== undefined,
    })
    const { alarmEveryMs } = profile.extras
    if (alarmEveryMs > 0) changeAlarms(this.#operator, alarmEveryMs, checkers.alarm)
  }

  #makeMembers(random: SeededRandom): SimMember[] {
    const names = memberNames.slice(0, this.profile.memberCount)
    const initialCluster = names.map((name) => `${name}=${urlOf(name)}`).join(',')
    return names.map((name) => this.#makeMember({ name, initialCluster }, random.fork()))
  }

  #makeMember(
    who: {
      readonly name: string
      readonly initialCluster: string
      readonly plan?: NewMember['plan']
    },
    random: SeededRandom,
  ): SimMember {
    const { heartbeatIntervalMs, electionTimeoutMs, snapshotEntries, extras } = this.profile
    const { name, initialCluster, plan } = who
    return new SimMember({
      name,
      options: {
        name,
        initialCluster,
        listenPeerUrls: [urlOf(name)],
        heartbeatIntervalMs,
        electionTimeoutMs,
        snapshotCount: snapshotEntries,
        // Its checks look at the connections of the last five seconds: too long for a run.
        ...(extras.membersEveryMs > 0 ? { strictReconfigCheck: false } : {}),
      },
      plan,
      profile: this.profile,
      random,
      scheduler: this.scheduler,
      network: this.network,
      ends: () => this.members,
      hasLyingTables: this.#plant === 'lying-tables',
      nextLife: () => ++this.lives,
      mayLeave: (id) => this.roster?.mayLeave(id) === true,
      onStopped: (stopped, life) => {
        this.clients.memberStopped(life)
        this.watchClients.memberStopped(stopped, life)
      },
      onViolation: (reason) => this.violated(reason),
    })
  }

  #makeRoster(random: SeededRandom): SimRoster | undefined {
    const { membersEveryMs } = this.profile.extras
    if (membersEveryMs === 0) return undefined
    const { members } = this
    return new SimRoster({
      operator: this.#operator,
      random,
      everyMs: membersEveryMs,
      members,
      start: ({ name, plan }) => {
        this.trace.note(`${name} begins`)
        const initialCluster = `${name}=${urlOf(name)}`
        const member = this.#makeMember({ name, initialCluster, plan }, this.#extras.fork())
        members.push(member)
        member.start()
      },
      onNote: (text) => this.trace.note(text),
    })
  }

  #makeUsers(random: SeededRandom): (() => UserName | undefined) | undefined {
    const { usersEveryMs } = this.profile.extras
    if (usersEveryMs === 0) return undefined
    const timeline = this.checkers.users
    const users = new SimUsers({
      operator: this.#operator,
      random,
      everyMs: usersEveryMs,
      timeline,
    })
    return () => users.draw()
  }

  /** Runs when everything that happens in this step is known. */
  check(work: () => void): void {
    this.#checks.push(work)
  }

  violated(reason: unknown): void {
    this.#violation ??= { reason }
  }

  start(): void {
    for (const member of this.members) member.start()
  }

  /** Runs until that is so, or until the first violation, which it throws. */
  async runUntil(isOver: () => boolean): Promise<void> {
    let idleTurns = 0
    while (!isOver()) {
      this.#guard(() => {
        // Members that begin have nothing to wait for yet.
        idleTurns = this.scheduler.runNext() ? 0 : idleTurns + 1
        if (idleTurns > idleTurnsMax) throw new Error('Nothing will ever happen again')
      })
      this.steps++
      // Everything that follows from the event runs as microtasks; a tick asked for among them comes after the last.
      await new Promise<void>(process.nextTick)
      this.#guard(() => this.#lookAround())
      if (this.#violation !== undefined) throw this.#violation.reason
    }
  }

  /** First what was decided, then what was said about it. */
  #lookAround(): void {
    for (const member of this.members) {
      const deeds = member.takeDeeds()
      if (deeds.length > 0) this.checkers.did(member.name, deeds)
    }
    const checks = this.#checks
    if (checks.length === 0) return
    this.#checks = []
    for (const check of checks) check()
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.violated(error)
    }
  }

  /** Faults end: everything works again, and must soon be as if nothing had happened. */
  async recover(): Promise<void> {
    this.trace.note('faults end')
    this.clients.stop()
    this.#operator.stop()
    this.network.heal()
    this.network.faults = noFaults
    for (const member of this.members) member.heal()
    this.watchClients.settle()
    await this.#converge()
    await this.#audit()
    this.checkers.revisions.finished()
  }

  /** Everybody serves everybody, watchers have heard everything, and leases that nobody renews are gone. */
  async #converge(): Promise<void> {
    const end = this.scheduler.now + convergenceMs
    let nextAttempt = this.scheduler.now
    const served = new Set<SimMember>()
    const isServed = (): boolean =>
      this.members.every((member) => member.isRetired || served.has(member))
    await this.runUntil(() => {
      if (this.scheduler.now >= end) return true
      if (this.scheduler.now >= nextAttempt) {
        nextAttempt += attemptEveryMs
        this.roster?.follow()
        for (const member of this.members) {
          if (served.has(member) || member.isRetired) continue
          this.clients.ask(member, { type: 'range', request: anyRange }, (isAnswered) => {
            if (isAnswered) served.add(member)
          })
        }
      }
      return isServed() && this.#unsettled() === undefined
    })
    this.#expectSettled()
    if (!isServed()) throw new Violation('liveness', 'a member is silent')
  }

  #unsettled(): string | undefined {
    const [lease] = this.checkers.leases.live()
    if (lease !== undefined) return `lease ${lease} does not end`
    const unsaid = this.members.find(({ core }) => core?.highestCommand === unsaidCommands)
    if (unsaid !== undefined) return `${unsaid.name} does not know what all members know`
    return this.watchClients.missing() ?? this.clients.unanswered()
  }

  #expectSettled(): void {
    const unsettled = this.#unsettled()
    if (unsettled !== undefined) throw new Violation('liveness', unsettled)
  }

  /** All members hold the same: every revision that may still be read, the whole of its history to watchers, and its hash. */
  async #audit(): Promise<void> {
    const { revision, compactRevision } = this.history
    const oldest = Math.max(1, compactRevision)
    const step = Math.max(1, Math.ceil((revision - oldest) / auditedRevisionsMax))
    for (const member of this.members) {
      if (member.isRetired) continue
      for (let at = oldest; at <= revision; at += step) {
        const request = { ...anyRange, revision: at, serializable: true }
        this.clients.ask(member, { type: 'range', request })
      }
      this.clients.ask(member, { type: 'hashKv', revision: 0 })
      this.watchClients.audit(member, oldest)
    }
    const end = this.scheduler.now + convergenceMs
    await this.runUntil(() => this.scheduler.now >= end || this.#unsettled() === undefined)
    this.#expectSettled()
  }
}
