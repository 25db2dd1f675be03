// A whole cluster in one process under one seed: members with the real shell on simulated disks, network and time; clients; faults; and the
// checkers after every step. A run is a pure function of its options and the code: no clock, no chance but the seed's.
import type { Membership, NodeId } from '../core/types.ts'
import type { RaftNodeEvent, StateMachine } from '../node/types.ts'
import { Violation } from './checkers/checker.ts'
import { DefaultCheckers } from './checkers/default-checkers.ts'
import { Clients } from './clients.ts'
import { Calm, calmMs, settleMs } from './calm.ts'
import { Convergence } from './convergence.ts'
import { endOfRun } from './end-of-run.ts'
import { FaultPlan } from './fault-plan.ts'
import { drawProfile, type Profile } from './profile.ts'
import { SeededRandom } from './random.ts'
import type { RunReport } from './run-report.ts'
import { Scheduler } from './scheduler.ts'
import { SimMember, type OpenNode } from './sim-member.ts'
import { noNetworkFaults, SimNetwork, type WireFormat } from './sim-network.ts'
import { Trace } from './trace.ts'
import { WitnessPlan } from './witness-plan.ts'
import type { Application } from './workload.ts'

/** How long a healed cluster may take to serve every client again. */
const convergenceMs = 60_000
const writeEveryMs = 500
/** Of those that begin the cluster, then of those that join. */
const memberNames = 'abcdefghijkl'.split('').map((name) => name as NodeId)

export interface WorldOptions {
  readonly seed: number
  /** Heartbeat intervals with faults. */
  readonly ticks: number
  readonly openNode: OpenNode
  readonly application: (profile: Profile) => Application
  readonly wire?: WireFormat
  readonly onTrace?: (line: string) => void
}

/** The first step after which something was wrong. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly report: RunReport
  readonly trace: readonly string[]

  constructor(reason: unknown, report: RunReport, trace: readonly string[]) {
    const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
    super(`Seed ${report.seed}, step ${report.steps}: ${text}`, { cause: reason })
    this.report = report
    this.trace = trace
  }
}

export class World {
  readonly #options: WorldOptions
  readonly #profile: Profile
  readonly #witnessPlan: WitnessPlan
  readonly #scheduler = new Scheduler()
  readonly #network: SimNetwork
  readonly #application: Application
  readonly #checkers: DefaultCheckers
  readonly #members: SimMember[] = []
  readonly #memberRandom: SeededRandom
  readonly #initialMembership: Membership
  readonly #trace: Trace
  readonly #clients: Clients
  readonly #faults: FaultPlan
  /** Who takes part in the end. */
  #inside: readonly SimMember[] = []
  #steps = 0
  #restMs = 0
  #lives = 0
  #violation: { readonly reason: unknown } | undefined

  constructor(options: WorldOptions) {
    this.#options = options
    const random = new SeededRandom(options.seed)
    const profile = drawProfile(random.fork())
    this.#witnessPlan = new WitnessPlan(options.seed, profile)
    this.#profile = this.#witnessPlan.profileOf(profile)
    this.#application = options.application(this.#profile)
    const { workload } = this.#application
    this.#checkers = new DefaultCheckers(workload.specification)
    this.#trace = new Trace(() => this.#scheduler.now, options.onTrace)
    const { wire } = options
    this.#network = new SimNetwork({
      scheduler: this.#scheduler,
      random: random.fork(),
      ...(wire === undefined ? {} : { wire }),
      onDelivered: (message, fingerprint) => {
        this.#trace.delivered(message, fingerprint)
        this.#faults.delivered(message)
      },
    })
    this.#network.faults = this.#profile.network
    this.#memberRandom = random.fork()
    const voters = memberNames.slice(0, this.#profile.memberCount)
    const witnesses = this.#witnessPlan.first(voters)
    this.#initialMembership = {
      voters,
      votersOutgoing: [],
      learners: [],
      ...(witnesses.length > 0 ? { witnesses } : {}),
    }
    for (const id of voters) this.#addMember(witnesses.includes(id))
    const shared = {
      profile: this.#profile,
      scheduler: this.#scheduler,
      members: this.#members,
      network: this.#network,
      checkers: this.#checkers,
      onViolation: (reason: unknown) => {
        this.#violated(reason)
      },
      onFault: (text: string) => {
        this.#trace.note(text)
      },
    }
    this.#clients = new Clients({
      ...shared,
      workload,
      random: random.fork(),
      onRequest: (text) => {
        this.#trace.note(text)
      },
    })
    const lateReads = new SeededRandom(options.seed)
    this.#faults = new FaultPlan({
      ...shared,
      random: random.fork(),
      initialMembership: this.#initialMembership,
      addMember: () => this.#addMember(this.#witnessPlan.joins()),
      // A read that waits for a leader to wake up is the one that a lease must not answer from before.
      onPaused: (member) => {
        if (this.#profile.hasLeases && !member.isWitness) this.#clients.read(member, lateReads)
      },
    })
  }

  /** Undefined when there are as many as a run may have. */
  #addMember(isWitness: boolean): SimMember | undefined {
    const index = this.#members.length
    const id = memberNames[index]
    if (id === undefined || index >= this.#profile.membersMax) return undefined
    const random = this.#memberRandom
    const member = new SimMember({
      id,
      index,
      isWitness,
      initialMembership: this.#initialMembership,
      profile: this.#profile,
      random: random.fork(),
      scheduler: this.#scheduler,
      network: this.#network,
      checkers: this.#checkers,
      openNode: this.#options.openNode,
      home: this.#application.home(id, random.fork()),
      nextLife: () => ++this.#lives,
      onEvent: (from, event) => {
        this.#event(from, event)
      },
      onStopped: (stopped, life) => {
        this.#clients.memberStopped(stopped, life)
      },
      onDiskStrike: (strike) => {
        this.#faults.diskStruck(strike)
      },
      onHealed: () => {
        this.#faults.healed()
      },
      onGaveUp: (stopped, reason) => {
        this.#trace.note(`${stopped.id} stops by itself: ${String(reason)}`)
        this.#faults.gaveUp(stopped)
      },
      onViolation: (reason) => {
        this.#violated(reason)
      },
    })
    this.#members.push(member)
    return member
  }

  #event(id: NodeId, event: RaftNodeEvent): void {
    this.#trace.note(`${id} ${event.type}`)
    if (event.type === 'leaderChanged' && event.leader === id) this.#faults.elected(id)
  }

  #violated(reason: unknown): void {
    this.#violation ??= { reason }
  }

  /** Rejects with a SimulationFailure at the first violation. */
  async run(): Promise<RunReport> {
    // Ticks come after all microtasks only for who runs in one of them: from here on we do, wherever we were called.
    await Promise.resolve()
    for (const member of this.#members) member.start()
    const faultsMs = this.#options.ticks * this.#profile.heartbeatIntervalMs
    await this.#runUntil(() => this.#scheduler.now >= faultsMs)
    this.#trace.note('faults end')
    this.#faults.stop()
    this.#clients.stop()
    this.#network.faults = noNetworkFaults
    await this.#converge()
    await this.#rest()
    await this.#finish()
    return this.report()
  }

  async #rest(): Promise<void> {
    const settled = this.#scheduler.now + settleMs
    await this.#runUntil(() => this.#scheduler.now >= settled)
    this.#trace.note('at rest')
    const calm = new Calm(this.#inside)
    const end = this.#scheduler.now + calmMs
    await this.#runUntil(() => this.#scheduler.now >= end)
    this.#restMs = calmMs
    const disturbance = calm.disturbance()
    if (disturbance !== undefined) this.#violated(new Violation('rest', disturbance))
    this.#throwViolation()
  }

  async #runUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (!this.#runNext()) return
      this.#steps++
      // Everything that follows from the event runs as microtasks; a tick asked for among them comes after the last.
      await new Promise<void>(process.nextTick)
      this.#throwViolation()
    }
  }

  /** What throws through the event itself is a violation too. */
  #runNext(): boolean {
    try {
      return this.#scheduler.runNext()
    } catch (error) {
      this.#violated(error)
      return true
    }
  }

  #throwViolation(): void {
    if (this.#violation === undefined) return
    throw new SimulationFailure(this.#violation.reason, this.report(), this.#trace.lastLines())
  }

  /** Liveness: every member of the cluster takes a write, every request is answered, and all come to the same state. */
  async #converge(): Promise<void> {
    const convergence = new Convergence(this.#members, this.#clients)
    const end = this.#scheduler.now + convergenceMs
    let nextAttempt = this.#scheduler.now
    await this.#runUntil(() => {
      if (this.#scheduler.now >= end) return true
      if (this.#scheduler.now >= nextAttempt) {
        nextAttempt += writeEveryMs
        convergence.writeAtEach()
      }
      return convergence.isReached()
    })
    this.#inside = convergence.inside()
    if (convergence.isReached()) return
    this.#violated(new Violation('liveness', convergence.describe()))
    this.#throwViolation()
  }

  async #finish(): Promise<void> {
    const machines = new Map<NodeId, StateMachine<unknown>>()
    for (const { id, stateMachine } of this.#inside) {
      if (stateMachine !== undefined) machines.set(id, stateMachine.machine)
    }
    try {
      const log = this.#checkers.stateMachineSafety.log()
      this.#checkers.finished(await endOfRun(this.#application, machines, log))
    } catch (error) {
      this.#violated(error)
    }
    this.#throwViolation()
  }

  report(): RunReport {
    return {
      seed: this.#options.seed,
      traceHash: this.#trace.hash,
      steps: this.#steps,
      simulatedMs: this.#scheduler.now,
      restMs: this.#restMs,
      witnesses: this.#members.filter(({ isWitness, hasStarted }) => isWitness && hasStarted)
        .length,
      lives: this.#lives,
      elections: this.#checkers.electionSafety.electionCount,
      commits: this.#checkers.stateMachineSafety.commitCount,
      acknowledged: this.#checkers.durability.acknowledgedCount,
      reads: this.#checkers.freshReads.readCount,
      network: { ...this.#network.counts },
      faults: { ...this.#faults.counts },
    }
  }
}
