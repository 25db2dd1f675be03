// One seed of the whole member: a cluster, clients that ask and watch, and faults, all drawn from the seed. A run is a function of its seed
// and the code.
import { SeededRandom } from '@balsa/raft/simulation'
import { ClusterFaults } from './cluster-faults.ts'
import { drawExtras, extrasRandom } from './extras.ts'
import type { MemberPlantName } from './plants.ts'
import { drawProfile } from './profile.ts'
import type { MemberRunReport } from './run-report.ts'
import { SimCluster } from './sim-cluster.ts'
import type { SimMember } from './sim-member.ts'

export interface WorldOptions {
  readonly seed: number
  /** Simulated milliseconds with faults. */
  readonly faultsMs: number
  readonly plant?: MemberPlantName
  readonly onTrace?: (line: string) => void
}

/** Names of leases that no client draws. */
const trapLeases = 1_000_000n
const trapTtlSeconds = 2

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
  readonly #cluster: SimCluster
  readonly #faults: ClusterFaults
  #traps = 0

  constructor(options: WorldOptions) {
    this.#options = options
    const random = new SeededRandom(options.seed)
    const extras = extrasRandom(options.seed)
    const profile = drawProfile(random.fork(), drawExtras(extras))
    const { plant, onTrace } = options
    const cluster = new SimCluster({ profile, random: random.fork(), extras, plant, onTrace })
    this.#cluster = cluster
    const pauses = random.fork()
    this.#faults = new ClusterFaults({
      profile,
      random: random.fork(),
      scheduler: cluster.scheduler,
      network: cluster.network,
      members: cluster.members,
      onFault: (text) => cluster.trace.note(text),
      onPausing: (member, noticeMs, holdMs) => {
        this.#setTrap(member, noticeMs + holdMs * (0.6 + 0.4 * pauses.next()))
      },
    })
  }

  /** A renewal that waits for a leader to wake up must not be answered out of its dreams: of a lease that nobody else renews. */
  #setTrap(member: SimMember, renewMs: number): void {
    const { scheduler, checkers, clients } = this.#cluster
    const id = trapLeases + BigInt(++this.#traps)
    clients.ask(member, { type: 'leaseGrant', id, ttl: trapTtlSeconds })
    scheduler.after(renewMs, () => {
      for (const id of checkers.leases.live()) clients.ask(member, { type: 'leaseKeepAlive', id })
    })
  }

  /** Rejects with a MemberSimulationFailure at the first violation. */
  async run(): Promise<MemberRunReport> {
    // Ticks come after all microtasks only for who runs in one of them: from here on we do, wherever we were called.
    await Promise.resolve()
    const cluster = this.#cluster
    try {
      cluster.start()
      await cluster.runUntil(() => cluster.scheduler.now >= this.#options.faultsMs)
      this.#faults.stop()
      await cluster.recover()
    } catch (reason) {
      throw new MemberSimulationFailure(reason, this.#report(), cluster.trace.lastLines())
    }
    return this.#report()
  }

  #report(): MemberRunReport {
    const { trace, steps, scheduler, lives, history, clients, checkers, network, watchClients } =
      this.#cluster
    return {
      seed: this.#options.seed,
      traceHash: trace.hash,
      steps,
      simulatedMs: scheduler.now,
      lives,
      revisions: history.revision - 1,
      compactRevision: history.compactRevision,
      asked: clients.asked,
      answered: clients.answered,
      refused: clients.refused,
      watchEvents: watchClients.events,
      leasesGranted: checkers.leases.granted,
      leasesExpired: checkers.leases.expired,
      snapshots: network.counts.snapshots,
      messages: network.counts.sent,
      faults: { ...this.#faults.counts },
    }
  }
}
