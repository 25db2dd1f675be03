// A cluster of whole members on simulated disks, tables, network and time, with everything that they decide and say checked after every
// step. What happens to it, and what is asked of it, is for others to say: chance (world.ts), or a script (testing/scene.ts).
import {
  peerWire,
  Scheduler,
  SimNetwork,
  Trace,
  type NetworkFaults,
  type SeededRandom,
} from '@balsa/raft/simulation'
import { Checkers } from './checkers/checkers.ts'
import { Clients } from './clients.ts'
import { CommittedHistory } from './committed-history.ts'
import type { MemberPlantName } from './plants.ts'
import type { MemberProfile } from './profile.ts'
import { anyRange, Requests } from './requests.ts'
import { SimMember } from './sim-member.ts'
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
  readonly members: readonly SimMember[]
  readonly requests: Requests
  readonly clients: Clients
  readonly watchClients: WatchClients
  steps = 0
  lives = 0
  /** What is to be checked when this step is over. */
  #checks: (() => void)[] = []
  #violation: { readonly reason: unknown } | undefined

  constructor(options: SimClusterOptions) {
    const { profile, random, plant } = options
    this.profile = profile
    const now = (): number => this.scheduler.now
    this.trace = new Trace(now, options.onTrace)
    this.history = new CommittedHistory(now)
    const { history } = this
    this.checkers = new Checkers({ history, now, driftRateMax: profile.driftRateMax })
    this.network = new SimNetwork({
      scheduler: this.scheduler,
      random: random.fork(),
      wire: peerWire,
      onDelivered: (message, fingerprint) => this.trace.delivered(message, fingerprint),
    })
    this.network.faults = profile.network
    this.members = this.#makeMembers(random.fork(), plant)
    this.requests = new Requests(profile, random.fork())
    const shared = {
      profile,
      scheduler: this.scheduler,
      members: this.members,
      requests: this.requests,
      check: (work: () => void): void => this.check(work),
      onNote: (text: string): void => this.trace.note(text),
    }
    this.clients = new Clients({ ...shared, random: random.fork(), checkers: this.checkers })
    const losesEvents = plant === 'lost-event'
    this.watchClients = new WatchClients({ ...shared, random: random.fork(), history, losesEvents })
  }

  #makeMembers(random: SeededRandom, plant: MemberPlantName | undefined): SimMember[] {
    const { heartbeatIntervalMs, electionTimeoutMs, snapshotEntries } = this.profile
    const names = memberNames.slice(0, this.profile.memberCount)
    const initialCluster = names.map((name) => `${name}=http://${name}:2380`).join(',')
    return names.map((name) => {
      return new SimMember({
        name,
        options: {
          name,
          initialCluster,
          listenPeerUrls: [`http://${name}:2380`],
          heartbeatIntervalMs,
          electionTimeoutMs,
          snapshotCount: snapshotEntries,
        },
        profile: this.profile,
        random: random.fork(),
        scheduler: this.scheduler,
        network: this.network,
        ends: () => this.members,
        hasLyingTables: plant === 'lying-tables',
        nextLife: () => ++this.lives,
        onStopped: (stopped, life) => {
          this.clients.memberStopped(life)
          this.watchClients.memberStopped(stopped, life)
        },
        onViolation: (reason) => this.violated(reason),
      })
    })
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
    await this.runUntil(() => {
      if (this.scheduler.now >= end) return true
      if (this.scheduler.now >= nextAttempt) {
        nextAttempt += attemptEveryMs
        for (const member of this.members) {
          if (served.has(member)) continue
          this.clients.ask(member, { type: 'range', request: anyRange }, (isAnswered) => {
            if (isAnswered) served.add(member)
          })
        }
      }
      return served.size === this.members.length && this.#unsettled() === undefined
    })
    this.#expectSettled()
    if (served.size < this.members.length) throw new Violation('liveness', 'a member is silent')
  }

  #unsettled(): string | undefined {
    const [lease] = this.checkers.leases.live()
    if (lease !== undefined) return `lease ${lease} does not end`
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
