// One member of the simulated cluster: its disk lives as long as the run, its node from start to crash.
import { RaftCore } from '../core/raft-core.ts'
import type { LogIndex, Membership, NodeId, RaftConfig, RestoredState } from '../core/types.ts'
import type { Node, RaftNodeEvent, RaftNodeOptions } from '../node/types.ts'
import { protocolVersions, type ProtocolVersion } from '../transport/protocol-version.ts'
import type { ObservedMember } from './checkers/checker.ts'
import type { DefaultCheckers } from './checkers/default-checkers.ts'
import type { Profile } from './profile.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { DiskTrouble, isExcuse, type DiskStrike } from './disk-trouble.ts'
import { Gate, type Source } from './gate.ts'
import { flipBit, MemberDamage } from './member-damage.ts'
import { LocalClock } from './local-clock.ts'
import { SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'
import { SimFileSystem } from './sim-file-system.ts'
import type { SimNetwork, SimTransport } from './sim-network.ts'
import { WatchedCore } from './watched-core.ts'
import { WatchedMachine, type CommandResult } from './watched-machine.ts'
import type { MachineHome } from './workload.ts'

/** A machine has been up for this long at most. */
const bootMsMax = 1_000_000
const healthySyncMs = { min: 0.2, max: 2 }

export type OpenNode = (options: RaftNodeOptions<CommandResult>) => Promise<Node<CommandResult>>

export interface MemberOptions {
  readonly id: NodeId
  /** The how-manieth of the run. */
  readonly index: number
  /** In every life. */
  readonly isWitness: boolean
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
  /** An operation of its disk has gone wrong, or hangs. */
  readonly onDiskStrike: (strike: DiskStrike) => void
  /** It is whole again after damage. */
  readonly onHealed: () => void
  /** It has stopped by itself, as it may with such a disk. */
  readonly onGaveUp: (member: SimMember, reason: unknown) => void
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
  /** Something has happened to its disk that may make it stop by itself. */
  isExcused: boolean
  node: Node<CommandResult> | undefined
}

export class SimMember {
  readonly id: NodeId
  readonly isWitness: boolean
  readonly #options: MemberOptions
  readonly #disk: SimDisk
  readonly trouble: DiskTrouble = new DiskTrouble()
  /** Of its machine. */
  readonly clock: LocalClock
  #version: ProtocolVersion
  readonly #damage: MemberDamage
  #lifeCount = 0
  /** A write of this life went elsewhere. */
  #hasLostWrite = false
  #hasStarted = false
  /** Has left the cluster and was stopped for good. */
  isRetired = false
  #life: Life | undefined
  #syncMs: { readonly min: number; readonly max: number }

  constructor(options: MemberOptions) {
    this.id = options.id
    this.isWitness = options.isWitness
    this.#options = options
    this.#disk = new SimDisk(options.random.fork())
    const { random, scheduler, profile } = options
    this.clock = new LocalClock(scheduler, { rate: 1, startMs: random.next() * bootMsMax })
    this.#version = random.chance(profile.oldRate) ? 1 : protocolVersions.max
    this.#damage = new MemberDamage(options.onHealed)
    this.trouble.onStrike = (strike) => {
      if (strike === 'misdirectedWrites') {
        this.#damage.strike(this.#lifeCount)
        this.#hasLostWrite = true
      }
      if (isExcuse(strike) && this.#life !== undefined) this.#life.isExcused = true
      options.onDiskStrike(strike)
    }
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

  /** A witness has none. */
  get stateMachine(): WatchedMachine | undefined {
    return this.isWitness ? undefined : this.#life?.stateMachine
  }

  /** Up to where it has the log's effects; undefined while it is down. */
  get appliedIndex(): LogIndex | undefined {
    const { stateMachine, node } = this.#life ?? {}
    return this.isWitness ? node?.status().appliedIndex : stateMachine?.appliedIndex
  }

  get lifeNumber(): number | undefined {
    return this.#life?.number
  }

  /** Faults end: a disk slower than an election timeout lets nobody be elected, whatever the code does. */
  heal(): void {
    this.#syncMs = healthySyncMs
    this.trouble.heal()
    this.clock.setRate(1)
    this.resume('timer')
    this.start()
  }

  start(): void {
    if (this.#life !== undefined || this.isDead) return
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
      if (this.#life === life) this.#failed(life, error)
    }
  }

  /** A member that nothing but crashes has happened to must always come up again, and never stops by itself. */
  #failed(life: Life, reason: unknown): void {
    if (!life.isExcused && !this.#damage.isNamedBy(reason)) {
      this.#options.onViolation(reason)
      return
    }
    // It says what is damaged and cannot go on: somebody has to replace it.
    if (!life.isExcused && life.node === undefined) this.#damage.isFatal = true
    this.crash('process')
    this.#options.onGaveUp(this, reason)
  }

  #newLife(): Life {
    const { scheduler, network, random } = this.#options
    const number = this.#options.nextLife()
    this.#lifeCount = number
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
      clock: new SimClock(scheduler, gate, this.clock),
      fileSystem: new SimFileSystem(this.#disk, timing, this.trouble),
      transport: network.connect(this.id, { gate, version: this.#version }),
      stateMachine: undefined,
      observed: undefined,
      isExcused: false,
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
      ...(this.isWitness ? { witness: true } : {}),
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
      electionPriority: profile.priorities[this.#options.index] ?? 1,
      ...(profile.hasLeases ? { leaseReads: { maxDriftRate: profile.clock.driftRateMax } } : {}),
      createCore: (config, restored) => this.#createCore(life, config, restored),
      onEvent: (event) => {
        if (this.#life !== life) return
        if (event.type === 'failed') this.#failed(life, event.error)
        else this.#options.onEvent(this.id, event)
      },
    }
  }

  #createCore(life: Life, config: RaftConfig, restored: RestoredState): WatchedCore {
    const { checkers, profile } = this.#options
    const full = { ...config, ...profile.core }
    const core = new RaftCore(full, restored)
    const heldIndex = life.stateMachine?.appliedIndex ?? 0
    const { id, isWitness } = this
    const found = { restored, heldIndex, hasLostWrite: this.#hasLostWrite }
    this.#hasLostWrite = false
    const watched = new WatchedCore(core, {
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
      readAsked: (context) => {
        this.#watch(life, (member) => {
          checkers.readAsked(member, context)
        })
      },
      persisted: (sequence) => {
        this.#watch(life, (member) => {
          checkers.persisted(member, sequence)
        })
      },
    })
    life.observed = { id, life: life.number, isWitness, core: watched, config: full, ...found }
    this.#watch(life, (member) => {
      checkers.started(member)
    })
    return watched
  }

  get isPaused(): boolean {
    return this.#life?.gate.isPaused ?? false
  }

  /** The process stands still; a suspended machine's monotonic clock does too. */
  pause(isSuspended: boolean): void {
    this.#life?.gate.pause()
    if (isSuspended) this.clock.suspend()
  }

  resume(first: Source | undefined): void {
    this.clock.resume()
    this.#life?.gate.resume(first)
  }

  /** A request from outside: waits like everything else while the process is paused. */
  reach(action: () => void): void {
    this.#life?.gate.pass('client', action)
  }

  /** Speaks an old version of the peer protocol. */
  get isOld(): boolean {
    return this.#version < protocolVersions.max
  }

  /** From the next start on. */
  upgrade(): void {
    this.#version = protocolVersions.max
  }

  /** What its disk holds may be less than it has acknowledged, until it was opened since and is whole again. */
  get isDamaged(): boolean {
    if (this.trouble.misdirect !== undefined) return true
    const { number = 0, node } = this.#life ?? {}
    const open = node && { number, isRecovering: node.status().isRecovering }
    return this.#damage.isThere(open)
  }

  /** Has refused to start with what its disk holds. */
  get isDead(): boolean {
    return this.#damage.isFatal
  }

  flipBit(random: SeededRandom): ReturnType<typeof flipBit> {
    const flip = flipBit(this.#disk, random)
    if (flip !== undefined) this.#damage.strike(this.#lifeCount)
    return flip
  }

  /** `crash` is called in the middle of the `count`-th disk operation (each counts twice, before and after its effect); false: not now. */
  crashAtOperation(count: number, crash: () => boolean): void {
    this.trouble.crashAt(count, crash)
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
    this.clock.resume()
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
