// A whole cluster in one process under one seed: members with the real shell on simulated disks, network and time; clients; faults; and the
// checkers after every step. A run is a pure function of its options and the code: no clock, no chance but the seed's.
import type { Message, NodeId } from '../core/types.ts'
import type { RaftNodeEvent, StateMachine } from '../node/types.ts'
import { Violation } from './checkers/checker.ts'
import { DefaultCheckers } from './checkers/default-checkers.ts'
import { Clients } from './clients.ts'
import { endOfRun } from './end-of-run.ts'
import { FaultPlan } from './fault-plan.ts'
import { drawProfile, type Profile } from './profile.ts'
import { SeededRandom } from './random.ts'
import type { RunReport } from './run-report.ts'
import { Scheduler } from './scheduler.ts'
import { SimMember, type OpenNode } from './sim-member.ts'
import { noNetworkFaults, SimNetwork } from './sim-network.ts'
import { TraceHash } from './trace-hash.ts'
import type { Application } from './workload.ts'

/** How long a healed cluster may take to serve every client again. */
const convergenceMs = 60_000
const traceLinesMax = 80

export interface WorldOptions {
  readonly seed: number
  /** Heartbeat intervals with faults. */
  readonly ticks: number
  readonly openNode: OpenNode
  readonly application: (profile: Profile) => Application
  readonly transcode?: (message: Message) => Message
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
  readonly #scheduler = new Scheduler()
  readonly #network: SimNetwork
  readonly #application: Application
  readonly #checkers: DefaultCheckers
  readonly #members: readonly SimMember[]
  readonly #hash = new TraceHash()
  readonly #trace: string[] = []
  readonly #clients: Clients
  readonly #faults: FaultPlan
  #steps = 0
  #lives = 0
  #violation: { readonly reason: unknown } | undefined

  constructor(options: WorldOptions) {
    this.#options = options
    const random = new SeededRandom(options.seed)
    this.#profile = drawProfile(random.fork())
    this.#application = options.application(this.#profile)
    const { workload } = this.#application
    this.#checkers = new DefaultCheckers(workload.specification)
    const { transcode } = options
    this.#network = new SimNetwork({
      scheduler: this.#scheduler,
      random: random.fork(),
      ...(transcode === undefined ? {} : { transcode }),
      onDelivered: (message) => {
        this.#delivered(message)
      },
    })
    this.#network.faults = this.#profile.network
    this.#members = this.#createMembers(random)
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
        this.#note(text)
      },
    }
    this.#clients = new Clients({
      ...shared,
      workload,
      random: random.fork(),
      onRequest: (text) => {
        this.#note(text)
      },
    })
    this.#faults = new FaultPlan({ ...shared, random: random.fork() })
  }

  #createMembers(random: SeededRandom): readonly SimMember[] {
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, this.#profile.memberCount)
    const memberIds = names.map((name) => name as NodeId)
    return memberIds.map(
      (id) =>
        new SimMember({
          id,
          memberIds,
          profile: this.#profile,
          random: random.fork(),
          scheduler: this.#scheduler,
          network: this.#network,
          checkers: this.#checkers,
          openNode: this.#options.openNode,
          home: this.#application.home(id, random.fork()),
          nextLife: () => ++this.#lives,
          onEvent: (member, event) => {
            this.#event(member, event)
          },
          onStopped: (member, life) => {
            this.#clients.memberStopped(member, life)
          },
          onViolation: (reason) => {
            this.#violated(reason)
          },
        }),
    )
  }

  #delivered(message: Message): void {
    this.#note(describe(message))
    this.#faults.delivered(message)
  }

  #event(id: NodeId, event: RaftNodeEvent): void {
    this.#note(`${id} ${event.type}`)
    // Nothing but crashes happens to members, so none may stop by itself.
    if (event.type === 'failed') this.#violated(event.error)
    if (event.type === 'leaderChanged' && event.leader === id) this.#faults.elected(id)
  }

  #note(text: string): void {
    const line = `${this.#scheduler.now.toFixed(3)} ${text}`
    this.#hash.add(line)
    this.#options.onTrace?.(line)
    this.#trace.push(line)
    if (this.#trace.length > 2 * traceLinesMax) this.#trace.splice(0, traceLinesMax)
  }

  #violated(reason: unknown): void {
    this.#violation ??= { reason }
  }

  /** Rejects with a SimulationFailure at the first violation. */
  async run(): Promise<RunReport> {
    for (const member of this.#members) member.start()
    const faultsMs = this.#options.ticks * this.#profile.heartbeatIntervalMs
    await this.#runUntil(() => this.#scheduler.now >= faultsMs)
    this.#note('faults end')
    this.#faults.stop()
    this.#clients.stop()
    this.#network.faults = noNetworkFaults
    await this.#converge()
    await this.#finish()
    return this.report()
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
    throw new SimulationFailure(
      this.#violation.reason,
      this.report(),
      this.#trace.slice(-traceLinesMax),
    )
  }

  /** Liveness: every member takes a write, every request is answered, and all come to the same state. */
  async #converge(): Promise<void> {
    const end = this.#scheduler.now + convergenceMs
    const written = new Set<SimMember>()
    let nextAttempt = this.#scheduler.now
    await this.#runUntil(() => {
      if (this.#scheduler.now >= end) return true
      if (this.#scheduler.now >= nextAttempt) {
        nextAttempt += 500
        this.#writeAtEach(written)
      }
      return this.#hasConverged(written)
    })
    if (this.#hasConverged(written)) return
    this.#violated(new Violation('liveness', this.#describeStandstill()))
    this.#throwViolation()
  }

  /** Tries every member that has not taken a write yet. */
  #writeAtEach(written: Set<SimMember>): void {
    for (const member of this.#members) {
      if (written.has(member)) continue
      this.#clients.write(member, (isWritten) => {
        if (isWritten) written.add(member)
      })
    }
  }

  #hasConverged(written: ReadonlySet<SimMember>): boolean {
    if (written.size < this.#members.length || this.#clients.unanswered() !== undefined)
      return false
    const index = this.#members[0]?.stateMachine?.appliedIndex
    return this.#members.every((member) => member.stateMachine?.appliedIndex === index)
  }

  #describeStandstill(): string {
    const states = this.#members.map((member) => JSON.stringify(member.node?.status() ?? member.id))
    const request = this.#clients.unanswered() ?? 'nothing'
    return `no convergence after faults; unanswered: ${request}\n${states.join('\n')}`
  }

  async #finish(): Promise<void> {
    const machines = new Map<NodeId, StateMachine<unknown>>()
    for (const { id, stateMachine } of this.#members) {
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
      traceHash: this.#hash.toString(),
      steps: this.#steps,
      simulatedMs: this.#scheduler.now,
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

function describe(message: Message): string {
  const base = `${message.from}>${message.to} ${message.type} term ${message.term}`
  switch (message.type) {
    case 'appendEntries': {
      const { prevLogIndex, entries, commit } = message
      return `${base} after ${prevLogIndex} count ${entries.length} commit ${commit}`
    }
    case 'appendEntriesResult':
      return `${base} index ${message.index} ${message.rejected ? 'rejected' : 'matched'}`
    case 'requestVote':
      return `${base} last ${message.lastLogIndex}/${message.lastLogTerm} pre ${message.preVote}`
    case 'requestVoteResult':
      return `${base} granted ${message.granted} pre ${message.preVote}`
    case 'heartbeat':
      return `${base} commit ${message.commit} read ${message.readSequence}`
    case 'heartbeatResult':
      return `${base} read ${message.readSequence}`
    case 'installSnapshot':
      return `${base} index ${message.snapshot.index}`
    case 'propose':
      return `${base} count ${message.payloads.length}`
    case 'readIndex':
      return `${base} context ${message.context}`
    case 'readIndexResult':
      return `${base} context ${message.context} index ${message.index}`
    case 'recoverRequest':
      return `${base} nonce ${message.nonce}`
    case 'recoverResult':
      return `${base} nonce ${message.nonce} last ${message.lastIndex}`
    case 'timeoutNow':
      return base
  }
}
