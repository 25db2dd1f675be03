// A member whose data is not that of the others gives it up: it stops when the alarm names it, and at its next start empties its tables.
// Then it holds nothing of what its log begins after, so raft brings it a snapshot of the leader's, or replays a log that is whole.
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { alarmType } from '../proto/messages.ts'
import { alarmRowKey } from './alarm-book.ts'
import type { MemberClock } from './member-clock.ts'
import type { KvStateMachine } from './state-machine.ts'

const lookIntervalMs = 500

/** Before anything is loaded: empties the tables if they say that they are wrong. True if they did. */
export async function giveUpDamagedTables(backend: Backend, memberId: bigint): Promise<boolean> {
  const row = alarmRowKey({ memberId, alarm: alarmType.corrupt })
  if (backend.get(row) === undefined) return false
  await backend.replace(noRows())
  return true
}

export interface RepairWatchOptions {
  readonly id: bigint
  readonly clock: MemberClock
  readonly stateMachine: KvStateMachine
  /** The tables were emptied at this start: the alarm that still stands is that of the ones before. */
  readonly isRepaired: boolean
  /** Called once at most: the member must not go on. */
  readonly onDamaged: (error: KvError) => void
}

export class RepairWatch {
  readonly #options: RepairWatchOptions
  #isExpected: boolean
  #cancel: () => void = () => undefined

  constructor(options: RepairWatchOptions) {
    this.#options = options
    this.#isExpected = options.isRepaired
    this.#look()
  }

  stop(): void {
    this.#cancel()
  }

  #look(): void {
    const { id, clock, stateMachine, onDamaged } = this.#options
    this.#cancel = clock.setTimer(lookIntervalMs, () => {
      const isRaised = stateMachine.alarms.isRaised(alarmType.corrupt, id)
      if (isRaised && !this.#isExpected) {
        const message =
          'The data of this member differs from that of the others; started again, it takes theirs'
        onDamaged(new KvError('CORRUPT', { message }))
        return
      }
      this.#isExpected &&= isRaised
      this.#look()
    })
  }
}

async function* noRows(): AsyncIterable<[]> {
  yield await Promise.resolve([])
}
