// Looks after what is kept: raises NOSPACE when the quota is reached, compacts unasked, compares the data with that of the others.
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { encodeAlarmRequest, encodeCompactionRequest } from '../proto/index.ts'
import { alarmAction, alarmType, type MemberRecord } from '../proto/messages.ts'
import { AutoCompaction } from './auto-compaction.ts'
import type { CommandName } from './command.ts'
import { CorruptionCheck, type HashSource } from './corruption-check.ts'
import { RepairWatch, type RepairWatchOptions } from './corruption-repair.ts'
import type { LogGate, SpaceGuard } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { PeerQuestions } from './peer-questions.ts'
import { Quota } from './quota.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { StoragePlan } from './storage-options.ts'

/** How often a member that only follows looks at its size. */
const quotaIntervalMs = 1000

export interface StorageKeeperOptions {
  readonly id: bigint
  readonly gate: LogGate
  readonly stateMachine: KvStateMachine
  readonly clock: MemberClock
  readonly backend: Backend
  readonly storage: StoragePlan
  readonly data: HashSource
  readonly questions: PeerQuestions
  readonly members: () => readonly MemberRecord[]
  readonly repair?: Pick<RepairWatchOptions, 'isRepaired' | 'onDamaged'>
}

export class StorageKeeper implements SpaceGuard {
  readonly #options: StorageKeeperOptions
  readonly corruption: CorruptionCheck
  #quota: Quota
  #compaction: AutoCompaction
  readonly #repair: RepairWatch | undefined
  #plan: StoragePlan
  #cancelLook: () => void = () => undefined
  /** They wait for the alarm that is on its way to the log. */
  #raising: (() => void)[] = []

  constructor(options: StorageKeeperOptions) {
    this.#options = options
    const { gate, storage } = options
    this.#plan = storage
    this.#compaction = this.#compactionBy(storage)
    this.corruption = new CorruptionCheck(options)
    this.#repair = options.repair && new RepairWatch({ ...options, ...options.repair })
    this.#quota = new Quota(options.backend, storage.quotaBytes)
    gate.guardSpace(this)
    this.#look()
  }

  /** A new quota and new rules of compaction hold from now on. */
  reconfigure(plan: StoragePlan): void {
    const { quotaBytes, compaction } = this.#plan
    this.#plan = plan
    if (plan.quotaBytes !== quotaBytes) {
      this.#quota = new Quota(this.#options.backend, plan.quotaBytes)
    }
    // What one of the old rules has seen of the past is of no use to another.
    if (JSON.stringify(plan.compaction) === JSON.stringify(compaction)) return
    this.#compaction.stop()
    this.#compaction = this.#compactionBy(plan)
  }

  /** 0: there is none. */
  get quotaBytes(): number {
    const { limitBytes } = this.#quota
    return limitBytes === Infinity ? 0 : limitBytes
  }

  /** A request that does not fit is refused once the alarm is raised. */
  refuse(name: CommandName, body: Uint8Array, refused: (error: KvError) => void): boolean {
    if (this.#quota.fits(name, body)) return false
    this.#raise(() => refused(new KvError('NO_SPACE')))
    return true
  }

  stop(): void {
    this.#compaction.stop()
    this.corruption.stop()
    this.#repair?.stop()
    this.#cancelLook()
  }

  #compactionBy({ compaction }: StoragePlan): AutoCompaction {
    const { id, gate, stateMachine, clock } = this.#options
    return new AutoCompaction({
      plan: compaction,
      clock,
      revision: () => stateMachine.store.revision,
      isLeader: () => gate.leader === id,
      compact: (revision, done) => {
        const body = encodeCompactionRequest({ revision, physical: false })
        gate.propose('compact', body, (error) =>
          done(error === undefined || error.code === 'COMPACTED'),
        )
      },
    })
  }

  /** What others put counts too: every member looks at its own tables. */
  #look(): void {
    const { clock, gate } = this.#options
    this.#cancelLook = clock.setTimer(quotaIntervalMs, () => {
      if (gate.leader !== 0n && this.#quota.isExceeded()) this.#raise(() => undefined)
      this.#look()
    })
  }

  #raise(done: () => void): void {
    const { id, gate, stateMachine } = this.#options
    if (stateMachine.alarms.isRaised(alarmType.noSpace, id)) {
      done()
      return
    }
    this.#raising.push(done)
    if (this.#raising.length > 1) return
    const { noSpace } = alarmType
    const body = encodeAlarmRequest({ action: alarmAction.activate, memberId: id, alarm: noSpace })
    gate.propose('alarm', body, () => {
      const waiting = this.#raising
      this.#raising = []
      for (const wait of waiting) wait()
    })
  }
}
