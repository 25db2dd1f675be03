// Looks after what is kept: raises NOSPACE when the quota is reached, and compacts unasked.
import { KvError } from '../errors.ts'
import { encodeAlarmRequest, encodeCompactionRequest } from '../proto/index.ts'
import { alarmAction, alarmType } from '../proto/messages.ts'
import { AutoCompaction } from './auto-compaction.ts'
import type { CommandName } from './command.ts'
import type { LogGate, SpaceGuard } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { Quota } from './quota.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { StoragePlan } from './storage-options.ts'

/** How often a member that only follows looks at its size. */
const quotaIntervalMs = 1000

export interface StorageKeeperOptions {
  readonly id: bigint
  readonly gate: LogGate
  readonly stateMachine: KvStateMachine
  readonly clock: MemberClock
  readonly quota: Quota
  readonly storage: StoragePlan
}

export class StorageKeeper implements SpaceGuard {
  readonly #options: StorageKeeperOptions
  readonly #compaction: AutoCompaction
  #cancelLook: () => void = () => undefined
  /** They wait for the alarm that is on its way to the log. */
  #raising: (() => void)[] = []

  constructor(options: StorageKeeperOptions) {
    this.#options = options
    const { id, gate, stateMachine, clock, storage } = options
    this.#compaction = new AutoCompaction({
      plan: storage.compaction,
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
    if (options.quota.limitBytes === Infinity) return
    gate.guardSpace(this)
    this.#look()
  }

  /** A request that does not fit is refused once the alarm is raised. */
  refuse(name: CommandName, body: Uint8Array, refused: (error: KvError) => void): boolean {
    if (this.#options.quota.fits(name, body)) return false
    this.#raise(() => refused(new KvError('NO_SPACE')))
    return true
  }

  stop(): void {
    this.#compaction.stop()
    this.#cancelLook()
  }

  /** What others put counts too: every member looks at its own tables. */
  #look(): void {
    const { clock, quota, gate } = this.#options
    this.#cancelLook = clock.setTimer(quotaIntervalMs, () => {
      if (gate.leader !== 0n && quota.isExceeded()) this.#raise(() => undefined)
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
