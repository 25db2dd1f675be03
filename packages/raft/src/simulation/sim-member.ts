// One member of the simulated cluster: its disk lives as long as the run, its node from start to crash.
import { RaftCore } from '../core/raft-core.ts'
import type { Membership, NodeId, RaftConfig, RestoredState } from '../core/types.ts'
import type { Node, RaftNodeEvent, RaftNodeOptions } from '../node/types.ts'
import type { ObservedMember } from './checkers/checker.ts'
import type { DefaultCheckers } from './checkers/default-checkers.ts'
import type { Profile } from './profile.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { DiskTrouble } from './disk-trouble.ts'
import { Gate } from './gate.ts'
import { SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'
import { SimFileSystem } from './sim-file-system.ts'
import type { SimNetwork, SimTransport } from './sim-network.ts'
import { WatchedCore } from './watched-core.ts'
import { WatchedMachine, type CommandResult } from './watched-machine.ts'
import type { MachineHome } from './workload.ts'

const healthySyncMs = { min: 0.2, max: 2 }

export type OpenNode = (options: RaftNodeOptions<CommandResult>) => Promise<Node<CommandResult>>

export interface MemberOptions {
  readonly id: NodeId
  /** The how-manieth of the run. */
  readonly index: number
  /** What the cluster began with. */
  readonly initialMembership: Membership
  readonly profile: Profile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly checkers: DefaultCheckers
  readonly openNode: OpenNode
  /** Of its state machines. */
  readonly home: MachineHome
  /** A number for every life in the run. */
  readonly nextLife: () => number
  readonly onEvent: (id: NodeId, event: RaftNodeEvent) => void
  /** A life has ended. */
  readonly onStopped: (member: SimMember, life: number) => void
  /** Something happened that must not: ends the run. */
  readonly onViolation: (reason: unknown) => void
}

/** From a start to a crash or a close. */
interface Life {
  readonly number: number
  readonly gate: Gate
  readonly clock: SimClock
  readonly fileSystem: SimFileSystem
  readonly transport: SimTransport
  stateMachine: WatchedMachine | undefined
  observed: ObservedMember | undefined
  node: Node<CommandResult> | undefined
}

export class SimMember {
  readonly id: NodeId
  readonly #options: MemberOptions
  readonly #disk: SimDisk
  readonly #trouble = new DiskTrouble()
  #hasStarted = false
  /** Has left the cluster and was stopped for good. */
  isRetired = false
  #life: Life | undefined
  #syncMs: { readonly min: number; readonly max: number }

  constructor(options: MemberOptions) {
    this.id = options.id
    this.#options = options
    this.#disk = new SimDisk(options.random.fork())
    this.#syncMs = options.profile.syncMs[options.index] ?? healthySyncMs
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get hasStarted(): boolean {
    return this.#hasStarted
  }

  /** Undefined while the member is down or still recovers. */
  get node(): Node<CommandResult> | undefined {
    return this.#life?.node
  }

  get stateMachine(): WatchedMachine | undefined {
    return this.#life?.stateMachine
  }

  get lifeNumber(): number | undefined {
    return this.#life?.number
  }

  /** Faults end: a disk slower than an election timeout lets nobody be elected, whatever the code does. */
  heal(): void {
    this.#syncMs = healthySyncMs
    this.#trouble.heal()
    this.start()
  }

  start(): void {
    if (this.#life !== undefined) return
    this.#hasStarted = true
    const life = this.#newLife()
    this.#life = life
    void this.#open(life)
  }

  async #open(life: Life): Promise<void> {
    try {
      const stateMachine = await this.#openMachine(life)
      life.stateMachine = stateMachine
      const node = await this.#options.openNode(this.#nodeOptions(life, stateMachine))
      if (this.#life === life) life.node = node
    } catch (error) {
      // A member that nothing but crashes has happened to must always come up again.
      if (this.#life === life) this.#options.onViolation(error)
    }
  }

  #newLife(): Life {
    const { scheduler, network, random } = this.#options
    const number = this.#options.nextLife()
    const gate = new Gate(scheduler)
    const timing = {
      after: (delayMs: number, callback: () => void): void => {
        scheduler.after(delayMs, () => {
          gate.pass('io', callback)
        })
      },
      now: () => scheduler.now,
      random: random.fork(),
      syncMs: () => this.#syncMs,
    }
    return {
      number,
      gate,
      clock: new SimClock(scheduler, gate),
      fileSystem: new SimFileSystem(this.#disk, timing, this.#trouble),
      transport: network.connect(this.id, gate),
      stateMachine: undefined,
      observed: undefined,
      node: undefined,
    }
  }

  async #openMachine(life: Life): Promise<WatchedMachine> {
    const { home, checkers } = this.#options
    const machine = await home.open({ id: this.id, fileSystem: life.fileSystem })
    return new WatchedMachine(machine, {
      applying: (entry) => {
        this.#watch(life, (member) => {
          checkers.applied(member, entry)
        })
      },
      restoring: (index) => {
        this.#watch(life, (member) => {
          checkers.restored(member, { index })
        })
      },
    })
  }

  /** Runs a check; what a dead member's last microtasks do is nobody's concern. */
  #watch(life: Life, check: (member: ObservedMember) => void): void {
    if (this.#life !== life || life.observed === undefined) return
    try {
      check(life.observed)
    } catch (error) {
      this.#options.onViolation(error)
      throw error
    }
  }

  #nodeOptions(life: Life, stateMachine: WatchedMachine): RaftNodeOptions<CommandResult> {
    const { profile, initialMembership, random } = this.#options
    const chances = random.fork()
    return {
      id: this.id,
      clusterId: 'simulated',
      initialMembership,
      // Members find each other by id here.
      peers: new Map(),
      directory: '/member',
      stateMachine,
      transport: life.transport,
      fileSystem: life.fileSystem,
      clock: life.clock,
      random: () => chances.next(),
      heartbeatIntervalMs: profile.heartbeatIntervalMs,
      electionTimeoutMs: profile.electionTimeoutMs,
      snapshotEntries: profile.snapshotEntries,
      catchUpEntries: profile.catchUpEntries,
      segmentSizeBytes: profile.segmentSizeBytes,
      limits: profile.limits,
      createCore: (config, restored) => this.#createCore(life, config, restored),
      onEvent: (event) => {
        if (this.#life === life) this.#options.onEvent(this.id, event)
      },
    }
  }

  #createCore(life: Life, config: RaftConfig, restored: RestoredState): WatchedCore {
    const { checkers, profile } = this.#options
    const core = new RaftCore({ ...config, ...profile.core }, restored)
    life.observed = { id: this.id, life: life.number, core, restored }
    this.#watch(life, (member) => {
      checkers.started(member)
    })
    return new WatchedCore(core, {
      stepped: () => {
        this.#watch(life, (member) => {
          checkers.stepped(member)
        })
      },
      handedOut: (ready) => {
        this.#watch(life, (member) => {
          checkers.handingOut(member, ready)
        })
      },
      persisted: (sequence) => {
        this.#watch(life, (member) => {
          checkers.persisted(member, sequence)
        })
      },
    })
  }

  /** `crash` is called in the middle of the `count`-th disk operation (each counts twice, before and after its effect); false: not now. */
  crashAtOperation(count: number, crash: () => boolean): void {
    this.#trouble.crashAt(count, crash)
  }

  /** `power`: what was not synced may be lost; `process`: only what was in the process. */
  crash(kind: 'power' | 'process'): void {
    this.#stop()
    if (kind === 'process') {
      this.#killProcess()
      return
    }
    this.#disk.crash()
    this.#options.home.crash?.()
  }

  #stop(): void {
    const life = this.#life
    this.#life = undefined
    if (life === undefined) return
    life.gate.close()
    life.fileSystem.stop()
    life.transport.stop()
    this.#options.onStopped(this, life.number)
  }

  /** An orderly end: resolves when the node has closed. */
  async close(): Promise<void> {
    const life = this.#life
    await life?.node?.close()
    if (this.#life !== life) return
    this.#stop()
    this.#killProcess()
  }

  #killProcess(): void {
    this.#disk.kill()
    this.#options.home.kill?.()
  }
}
