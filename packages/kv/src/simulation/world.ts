// A whole cluster of members in one process under one seed: the member as it ships, on simulated disks, tables, network and time; clients
// that ask and watch; faults; and checks after every step. A run is a function of its seed and the code.
import { peerWire, Scheduler, SeededRandom, SimNetwork, Trace } from '@balsa/raft/simulation'
import { Checkers } from './checkers/checkers.ts'
import { Clients } from './clients.ts'
import { ClusterFaults } from './cluster-faults.ts'
import { CommittedHistory } from './committed-history.ts'
import type { MemberPlantName } from './plants.ts'
import { drawProfile, type MemberProfile } from './profile.ts'
import { anyRange, Requests } from './requests.ts'
import type { MemberRunReport } from './run-report.ts'
import { SimMember } from './sim-member.ts'
import { Violation } from './violation.ts'
import { WatchClients } from './watch-clients.ts'

/** How long a healed cluster may take to serve everybody again and to end leases that nobody renews. */
const convergenceMs = 60_000
const attemptEveryMs = 250
const memberNames = 'abcdefgh'.split('')
const noFaults = {
  lossRate: 0,
  repeatRate: 0,
  delayMinMs: 1,
  delayMaxMs: 1,
  delaySlowMs: 1,
  slowRate: 0,
  isOrdered: true,
}
/** Old revisions that are read everywhere in the end. */
const auditedRevisionsMax = 12

export interface WorldOptions {
  readonly seed: number
  /** Simulated milliseconds with faults. */
  readonly faultsMs: number
  readonly plant?: MemberPlantName
  readonly onTrace?: (line: string) => void
}

/** The first step after which something was wrong. */
export class MemberSimulationFailure extends Error {
  override readonly name = 'MemberSimulationFailure'
  readonly report: MemberRunReport
  readonly trace: readonly string[]

  constructor(reason: unknown, report: MemberRunReport, trace: readonly string[]) {
    const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
    super(`Seed ${report.seed}, step ${report.steps}: ${text}`, { cause: reason })
    this.report = report
    this.trace = trace
  }
}

export class MemberWorld {
  readonly #options: WorldOptions
  readonly #profile: MemberProfile
  readonly #scheduler = new Scheduler()
  readonly #network: SimNetwork
  readonly #trace: Trace
  readonly #history: CommittedHistory
  readonly #checkers: Checkers
  readonly #members: SimMember[] = []
  readonly #clients: Clients
  readonly #watchClients: WatchClients
  readonly #faults: ClusterFaults
  /** What is to be checked when this step is over. */
  #checks: (() => void)[] = []
  #steps = 0
  #lives = 0
  #violation: { readonly reason: unknown } | undefined

  constructor(options: WorldOptions) {
    this.#options = options
    const random = new SeededRandom(options.seed)
    const profile = drawProfile(random.fork())
    this.#profile = profile
    const now = (): number => this.#scheduler.now
    this.#trace = new Trace(now, options.onTrace)
    this.#history = new CommittedHistory(now)
    this.#checkers = new Checkers({
      history: this.#history,
      now,
      driftRateMax: profile.driftRateMax,
    })
    this.#network = new SimNetwork({
      scheduler: this.#scheduler,
      random: random.fork(),
      wire: peerWire,
      onDelivered: (message, fingerprint) => this.#trace.delivered(message, fingerprint),
    })
    this.#network.faults = profile.network
    this.#addMembers(random.fork())
    const requests = new Requests(profile, random.fork())
    const onNote = (text: string): void => this.#trace.note(text)
    const shared = {
      profile,
      scheduler: this.#scheduler,
      members: this.#members,
      requests,
      check: (work: () => void) => void this.#checks.push(work),
      onNote,
    }
    this.#clients = new Clients({ ...shared, random: random.fork(), checkers: this.#checkers })
    const losesEvents = options.plant === 'lost-event'
    const watching = { ...shared, random: random.fork(), history: this.#history, losesEvents }
    this.#watchClients = new WatchClients(watching)
    const pauses = random.fork()
    this.#faults = new ClusterFaults({
      ...shared,
      random: random.fork(),
      network: this.#network,
      onFault: onNote,
      onPaused: (member, holdMs) => this.#renewAt(member, holdMs * pauses.next()),
    })
  }

  #addMembers(random: SeededRandom): void {
    const { heartbeatIntervalMs, electionTimeoutMs, snapshotEntries } = this.#profile
    const names = memberNames.slice(0, this.#profile.memberCount)
    const initialCluster = names.map((name) => `${name}=http://${name}:2380`).join(',')
    for (const name of names) {
      const member = new SimMember({
        name,
        options: {
          name,
          initialCluster,
          listenPeerUrls: [`http://${name}:2380`],
          heartbeatIntervalMs,
          electionTimeoutMs,
          snapshotCount: snapshotEntries,
        },
        profile: this.#profile,
        random: random.fork(),
        scheduler: this.#scheduler,
        network: this.#network,
        ends: () => this.#members,
        hasLyingTables: this.#options.plant === 'lying-tables',
        nextLife: () => ++this.#lives,
        onStopped: (stopped, life) => {
          this.#clients.memberStopped(life)
          this.#watchClients.memberStopped(stopped, life)
        },
        onViolation: (reason) => this.#violated(reason),
      })
      this.#members.push(member)
    }
  }

  /** A renewal that waits for a leader to wake up is the one that must not be answered out of its dreams. */
  #renewAt(member: SimMember, delayMs: number): void {
    this.#scheduler.after(delayMs, () => {
      for (const id of this.#checkers.leases.live()) {
        this.#clients.ask(member, { type: 'leaseKeepAlive', id })
      }
    })
  }

  #violated(reason: unknown): void {
    this.#violation ??= { reason }
  }

  /** Rejects with a MemberSimulationFailure at the first violation. */
  async run(): Promise<MemberRunReport> {
    // Ticks come after all microtasks only for who runs in one of them: from here on we do, wherever we were called.
    await Promise.resolve()
    for (const member of this.#members) member.start()
    await this.#runUntil(() => this.#scheduler.now >= this.#options.faultsMs)
    this.#trace.note('faults end')
    this.#clients.stop()
    this.#faults.stop()
    this.#watchClients.settle()
    this.#network.faults = noFaults
    await this.#converge()
    await this.#audit()
    this.#guard(() => this.#checkers.revisions.finished())
    this.#throwViolation()
    return this.report()
  }

  /** Everybody serves everybody, watchers have heard everything, and leases that nobody renews are gone. */
  async #converge(): Promise<void> {
    const end = this.#scheduler.now + convergenceMs
    let nextAttempt = this.#scheduler.now
    let served = new Set<SimMember>()
    await this.#runUntil(() => {
      if (this.#scheduler.now >= end) return true
      if (this.#scheduler.now >= nextAttempt) {
        nextAttempt += attemptEveryMs
        for (const member of this.#members) {
          if (served.has(member)) continue
          this.#clients.ask(member, { type: 'range', request: anyRange }, (isAnswered) => {
            if (isAnswered) served.add(member)
          })
        }
      }
      return served.size === this.#members.length && this.#unsettled() === undefined
    })
    const unsettled = this.#unsettled() ?? (served.size < this.#members.length ? 'silence' : '')
    if (unsettled !== '') this.#violated(new Violation('liveness', unsettled))
    this.#throwViolation()
  }

  #unsettled(): string | undefined {
    const [lease] = this.#checkers.leases.live()
    if (lease !== undefined) return `lease ${lease} does not end`
    return this.#watchClients.missing() ?? this.#clients.unanswered()
  }

  /** All members hold the same: every revision that may still be read, the whole of its history to watchers, and its hash. */
  async #audit(): Promise<void> {
    const { revision, compactRevision } = this.#history
    const oldest = Math.max(1, compactRevision)
    const step = Math.max(1, Math.ceil((revision - oldest) / auditedRevisionsMax))
    for (const member of this.#members) {
      for (let at = oldest; at <= revision; at += step) {
        const request = { ...anyRange, revision: at, serializable: true }
        this.#clients.ask(member, { type: 'range', request })
      }
      this.#clients.ask(member, { type: 'hashKv', revision })
      this.#watchClients.audit(member, oldest)
    }
    const end = this.#scheduler.now + convergenceMs
    await this.#runUntil(() => this.#scheduler.now >= end || this.#unsettled() === undefined)
    const unsettled = this.#unsettled()
    if (unsettled !== undefined) this.#violated(new Violation('liveness', unsettled))
    this.#throwViolation()
  }

  async #runUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#guard(() => this.#scheduler.runNext())
      this.#steps++
      // Everything that follows from the event runs as microtasks; a tick asked for among them comes after the last.
      await new Promise<void>(process.nextTick)
      this.#guard(() => this.#lookAround())
      this.#throwViolation()
    }
  }

  /** First what was decided, then what was said about it. */
  #lookAround(): void {
    for (const member of this.#members) {
      const deeds = member.takeDeeds()
      if (deeds.length > 0) this.#checkers.did(member.name, deeds)
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
      this.#violated(error)
    }
  }

  #throwViolation(): void {
    if (this.#violation === undefined) return
    throw new MemberSimulationFailure(
      this.#violation.reason,
      this.report(),
      this.#trace.lastLines(),
    )
  }

  report(): MemberRunReport {
    return {
      seed: this.#options.seed,
      traceHash: this.#trace.hash,
      steps: this.#steps,
      simulatedMs: this.#scheduler.now,
      lives: this.#lives,
      revisions: this.#history.revision - 1,
      compactRevision: this.#history.compactRevision,
      asked: this.#clients.asked,
      answered: this.#clients.answered,
      refused: this.#clients.refused,
      watchEvents: this.#watchClients.events,
      leasesGranted: this.#checkers.leases.granted,
      leasesExpired: this.#checkers.leases.expired,
      snapshots: this.#network.counts.snapshots,
      messages: this.#network.counts.sent,
      faults: { ...this.#faults.counts },
    }
  }
}
