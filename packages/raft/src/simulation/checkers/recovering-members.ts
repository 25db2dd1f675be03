// A member that may have lost entries which it acknowledged gives no vote and asks for none until its log is whole again, durably: with its
// vote somebody could be elected who lacks what it has lost.
import type { Message, Ready } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

interface Recovering {
  /** The Ready that says that the log is whole again. */
  wholeWith: number | undefined
}

export class RecoveringMembers implements Checker {
  readonly property = 'a recovering member has no vote'
  /** By life. */
  readonly #recovering = new Map<number, Recovering>()
  #recoveredCount = 0

  /** Members that became whole again. */
  get recoveredCount(): number {
    return this.#recoveredCount
  }

  started({ life, restored }: ObservedMember): void {
    if (restored.hardState.isRecovering === true) {
      this.#recovering.set(life, { wholeWith: undefined })
    }
  }

  handingOut(member: ObservedMember, ready: Ready): void {
    const state = this.#recovering.get(member.life)
    if (state === undefined) return
    const { hardState } = ready.persist ?? {}
    if (hardState !== undefined && hardState.isRecovering !== true) {
      const { id, core } = member
      if (core.status().isRecovering) {
        throw new Violation(this.property, `${id} writes that it is whole before it is`)
      }
      state.wholeWith ??= ready.sequence
    }
    const isWhole = state.wholeWith !== undefined
    this.#check(member, ready.send, isWhole)
    if (!isWhole) this.#check(member, ready.sendAfterPersist, isWhole)
  }

  /** A pre-vote promises nothing: it need not wait until it is on disk that the log is whole. */
  #check({ id }: ObservedMember, messages: readonly Message[], isWhole: boolean): void {
    for (const message of messages) {
      const isVote = message.type === 'requestVoteResult' && message.granted
      if (!isVote && message.type !== 'requestVote') continue
      if (message.preVote && isWhole) continue
      throw new Violation(this.property, `${id} sends ${message.type} to ${message.to}`)
    }
  }

  persisted({ life }: ObservedMember, sequence: number): void {
    const wholeWith = this.#recovering.get(life)?.wholeWith
    if (wholeWith === undefined || wholeWith > sequence) return
    this.#recovering.delete(life)
    this.#recoveredCount++
  }
}
