// One member of the simulated cluster, whole: its disk and tables live as long as the run, its process from start to crash.
import type { NodeId, RaftNodeOptions } from '@balsa/raft'
import { assert } from '@balsa/raft/assert'
import {
  DiskTrouble,
  Gate,
  LocalClock,
  SimClock,
  SimDisk,
  SimFileSystem,
  type Scheduler,
  type SeededRandom,
  type SimNetwork,
  type SimTransport,
  type Source,
} from '@balsa/raft/simulation'
import { MemoryDisk, type StorageStep } from '../backend/memory-backend.ts'
import { commandsRowKey } from '../member/cluster-book.ts'
import { highestCommand } from '../member/command.ts'
import { idText } from '../member/identity.ts'
import { planMember, type MemberOptions, type MemberPlan } from '../member/member-options.ts'
import type { MemberRandom } from '../member/member-random.ts'
import { MemberCore } from '../member/member.ts'
import { openMember, type Member } from '../member/open-member.ts'
import type { CommandResult } from '../member/state-machine.ts'
import type { MemberApi } from '../member/types.ts'
import { KvError } from '../errors.ts'
import type { WrittenRow } from './committed-history.ts'
import type { MemberProfile } from './profile.ts'
import type { NewMember } from './sim-roster.ts'
import { SimLeaderLink, type LinkEnd } from './sim-leader-link.ts'
import { DiskOfLife, SimTables } from './sim-tables.ts'

/** A machine has been up for this long at most. */
const bootMsMax = 1_000_000
/** So few that crashes fall between and into saves of the index. */
const indexRowsMax = 12
const logSegmentSizeBytes = 8_192
const pendingCommandsMax = 256
/** Messages to peers are not drawn that small here: raft's own simulation does that. */
const quickMs = 0.2

/** What a member did in one turn, in order. */
export type Deed =
  | { readonly type: 'row'; readonly row: WrittenRow }
  | { readonly type: 'copied'; readonly row: WrittenRow }
  /** `afterRevision`: the newest that this member has written by then. */
  | {
      readonly type: 'lease'
      readonly id: bigint
      readonly ttlSeconds: number | undefined
      readonly afterRevision: number
    }
  | { readonly type: 'compacted'; readonly revision: number }

export interface SimMemberOptions {
  readonly name: string
  readonly options: MemberOptions
  /** Of a member that joins; else its options say all. */
  readonly plan: NewMember['plan'] | undefined
  readonly profile: MemberProfile
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly ends: () => readonly LinkEnd[]
  readonly nextLife: () => number
  /** Somebody has asked to remove it. */
  readonly mayLeave: (id: bigint) => boolean
  readonly onStopped: (member: SimMember, life: number) => void
  readonly onViolation: (reason: unknown) => void
  /** What the tables have synced is lost with the power all the same. */
  readonly hasLyingTables: boolean
}

interface Life {
  readonly number: number
  readonly gate: Gate
  readonly clock: SimClock
  readonly fileSystem: SimFileSystem
  readonly transport: SimTransport
  readonly tables: DiskOfLife
  member: Member | undefined
}

export class SimMember implements LinkEnd {
  readonly id: NodeId
  readonly memberId: bigint
  readonly name: string
  readonly clock: LocalClock
  readonly trouble: DiskTrouble = new DiskTrouble()
  readonly #options: SimMemberOptions
  readonly #plan: MemberPlan
  readonly #disk: SimDisk
  readonly #tables: MemoryDisk
  readonly #random: SeededRandom
  #life: Life | undefined
  /** What it did and nobody has looked at yet. */
  #deeds: Deed[] = []
  #lastRevision = 0
  #isHealthy = false
  /** Stopped for good. */
  isRetired = false

  constructor(options: SimMemberOptions) {
    this.#options = options
    this.name = options.name
    this.#plan = { ...planMember(options.options), ...options.plan }
    this.memberId = this.#plan.id
    this.id = idText(this.memberId) as NodeId
    this.#random = options.random
    this.#tables = options.hasLyingTables ? new LyingDisk() : new MemoryDisk()
    // Once all members have said so, which is not what most runs are about, it holds for ever.
    if (!options.profile.extras.isFresh)
      this.#tables.rows.set(commandsRowKey, Buffer.from(String(highestCommand)))
    this.#disk = new SimDisk(options.random.fork())
    const startMs = options.random.next() * bootMsMax
    this.clock = new LocalClock(options.scheduler, { rate: 1, startMs })
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get life(): number | undefined {
    return this.#life?.number
  }

  /** Undefined while it is down or still opens. */
  get core(): MemberCore | undefined {
    const member = this.#life?.member
    if (member === undefined) return undefined
    assert(member instanceof MemberCore, 'an open member has its core within')
    return member
  }

  /** What clients call; undefined while it is down or still opens. */
  get api(): MemberApi | undefined {
    return this.#life?.member?.api
  }

  /** Believes to lead. */
  get isLeading(): boolean {
    return this.core?.leader() === this.memberId
  }

  takeDeeds(): readonly Deed[] {
    const deeds = this.#deeds
    if (deeds.length > 0) this.#deeds = []
    return deeds
  }

  start(): void {
    if (this.#life !== undefined || this.isRetired) return
    const life = this.#newLife()
    this.#life = life
    void this.#open(life)
  }

  async #open(life: Life): Promise<void> {
    try {
      const member = await openMember(
        {
          ...this.#options.options,
          onFailed: (error) => this.#failed(life, error),
        },
        {
          clock: life.clock,
          random: this.#chances(),
          fileSystem: life.fileSystem,
          transport: life.transport,
          backend: this.#openTables(life),
          link: this.#link(life),
          indexRowsMax,
          plan: this.#plan,
          raft: this.#raftSizes(),
        },
      )
      if (this.#life === life) life.member = member
    } catch (error) {
      this.#failed(life, error)
    }
  }

  /** Nothing but crashes happens to a member: it must come up again, and never stops by itself, but when it was removed. */
  #failed(life: Life, reason: unknown): void {
    if (this.#life !== life) return
    const { mayLeave, onViolation } = this.#options
    const isRemoved = reason instanceof KvError && reason.code === 'MEMBER_REMOVED'
    if (isRemoved && mayLeave(this.memberId)) this.retire()
    else onViolation(reason)
  }

  #newLife(): Life {
    const { scheduler, network, nextLife } = this.#options
    const gate = new Gate(scheduler)
    const after = (delayMs: number, callback: () => void): void => {
      scheduler.after(delayMs, () => gate.pass('io', callback))
    }
    const timing = {
      after,
      now: (): number => scheduler.now,
      random: this.#random.fork(),
      syncMs: (): { min: number; max: number } => ({
        min: quickMs,
        max: this.#isHealthy ? quickMs : this.#options.profile.syncMsMax,
      }),
    }
    return {
      number: nextLife(),
      gate,
      clock: new SimClock(scheduler, gate, this.clock),
      fileSystem: new SimFileSystem(this.#disk, timing, this.trouble),
      transport: network.connect(this.id, { gate }),
      tables: new DiskOfLife(this.#tables),
      member: undefined,
    }
  }

  #openTables(life: Life): SimTables {
    const { scheduler, profile } = this.#options
    const random = this.#random.fork()
    // What the last microtasks of the dead do is nobody's concern.
    const deed = (what: Deed): void => void (this.#life === life && this.#deeds.push(what))
    this.#lastRevision = 0
    return new SimTables({
      disk: life.tables,
      viewRowsMax: profile.viewRowsMax,
      pace: (step: StorageStep) => {
        const mostMs = this.#isHealthy ? 0 : profile.tableStepMsMax
        if (mostMs === 0) return Promise.resolve()
        const delayMs = random.next() * mostMs * (step === 'read' ? 0.2 : 1)
        return new Promise((resolve) => {
          scheduler.after(delayMs, () => life.gate.pass('io', resolve))
        })
      },
      watcher: {
        row: (row) => {
          this.#lastRevision = Math.max(this.#lastRevision, revisionOf(row))
          deed({ type: 'row', row })
        },
        copied: (row) => {
          this.#lastRevision = Math.max(this.#lastRevision, revisionOf(row))
          deed({ type: 'copied', row })
        },
        lease: (id, ttlSeconds) =>
          deed({ type: 'lease', id, ttlSeconds, afterRevision: this.#lastRevision }),
        compacted: (revision) => deed({ type: 'compacted', revision }),
      },
    })
  }

  #link(life: Life): SimLeaderLink {
    const { scheduler, network, ends } = this.#options
    return new SimLeaderLink({
      id: this.id,
      gate: life.gate,
      scheduler,
      random: this.#random.fork(),
      network,
      leader: () => this.core?.leader() ?? 0n,
      ends,
    })
  }

  #chances(): MemberRandom {
    const random = this.#random.fork()
    return { bytes: (count) => Uint8Array.from({ length: count }, () => random.integer(0, 255)) }
  }

  #raftSizes(): Pick<
    RaftNodeOptions<CommandResult>,
    'catchUpEntries' | 'segmentSizeBytes' | 'limits'
  > {
    const { catchUpEntries, entryCommandsMax, logRetentionEntriesMax } = this.#options.profile
    return {
      catchUpEntries,
      segmentSizeBytes: logSegmentSizeBytes,
      limits: { entryCommandsMax, pendingCommandsMax, logRetentionEntriesMax },
    }
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

  /** From outside; waits like everything else while the process is paused. */
  reach(action: () => void): void {
    this.#life?.gate.pass('client', action)
  }

  /** `power`: what was not synced may be lost; `process`: only what was in the process. */
  crash(kind: 'power' | 'process'): void {
    this.#stop()
    if (kind === 'process') {
      this.#disk.kill()
      return
    }
    this.#disk.crash()
    this.#tables.crash(this.#random.integer(0, this.#tables.unsyncedCount))
  }

  /** An orderly end: resolves when the member has closed. */
  async close(): Promise<void> {
    const life = this.#life
    await life?.member?.close()
    if (this.#life !== life) return
    this.#stop()
    this.#disk.kill()
  }

  /** Its machine is taken away. */
  retire(): void {
    this.isRetired = true
    this.crash('process')
  }

  #stop(): void {
    const life = this.#life
    this.#life = undefined
    this.clock.resume()
    if (life === undefined) return
    life.gate.close()
    life.fileSystem.stop()
    life.tables.stop()
    life.transport.stop()
    this.#options.onStopped(this, life.number)
  }

  /** Faults end. */
  heal(): void {
    this.#isHealthy = true
    this.trouble.heal()
    this.clock.setRate(1)
    this.resume('timer')
    this.start()
  }
}

function revisionOf(row: WrittenRow): number {
  let main = 0
  for (let i = 1; i <= 8; i++) main = main * 256 + row.key.charCodeAt(i)
  return main
}

class LyingDisk extends MemoryDisk {
  override sync(): void {}
}
