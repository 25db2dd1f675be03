// One who looks after the cluster beside its clients: what it wants done it asks of some member, again and again, until one says that it is.
import type { Scheduler, SeededRandom } from '@balsa/raft/simulation'
import type { KvError } from '../errors.ts'
import type { MemberCore } from '../member/member.ts'
import type { SimMember } from './sim-member.ts'

export interface OperatorOptions {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly members: readonly SimMember[]
  /** Runs a check when everything that happened in this turn is known. */
  readonly check: (work: () => void) => void
  readonly onNote: (text: string) => void
}

export interface Deed {
  readonly name: string
  start(core: MemberCore, done: (error: KvError | undefined) => void): void
  /** With that refusal it is done all the same. */
  readonly isDone?: (error: KvError) => boolean
}

const patienceMs = 1_500
const againMs = 100

export class Operator {
  readonly #options: OperatorOptions
  #isRunning = true

  constructor(options: OperatorOptions) {
    this.#options = options
  }

  stop(): void {
    this.#isRunning = false
  }

  /** After a while, `everyMs` in the mean. */
  later(everyMs: number, act: () => void): void {
    const { scheduler, random } = this.#options
    scheduler.after(random.next() * 2 * everyMs, () => {
      if (this.#isRunning) act()
    })
  }

  /** `then` hears whether the first one who was asked has answered: else it may be done twice, the second time whenever. */
  insist(deed: Deed, then: (isOnce: boolean) => void, isOnce: boolean = true): void {
    const { scheduler, random, members, check, onNote } = this.#options
    const again = (): void => {
      scheduler.after(againMs, () => {
        if (this.#isRunning) this.insist(deed, then, false)
      })
    }
    const member = random.pick(members.filter(({ core }) => core !== undefined))
    const core = member?.core
    if (member === undefined || core === undefined) {
      scheduler.after(againMs, () => {
        if (this.#isRunning) this.insist(deed, then, isOnce)
      })
      return
    }
    let isOver = false
    const over = (next: () => void): void => {
      if (isOver) return
      isOver = true
      cancel()
      next()
    }
    const cancel = scheduler.after(patienceMs, () => over(again))
    onNote(`operator at ${member.name}: ${deed.name}`)
    member.reach(() => {
      deed.start(core, (error) => {
        check(() => {
          const isDone = error === undefined || deed.isDone?.(error) === true
          over(isDone ? () => then(isOnce) : again)
        })
      })
    })
  }
}
