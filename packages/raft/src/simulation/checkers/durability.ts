// Durability: what a client was told is done is in the log that the state machines are given, where it was said to be, and once; what it was
// told is refused is nowhere. That all members are given the same log is the matter of state machine safety.
import type { LogIndex } from '../../core/types.ts'
import { Violation, type AppliedEntry, type Checker, type ObservedMember } from './checker.ts'
import type { Operation } from './history.ts'

export class Durability implements Checker {
  readonly property = 'durability of what was acknowledged'
  readonly #appliedAt = new Map<number, LogIndex>()
  readonly #refused = new Set<number>()
  #acknowledgedCount = 0

  get acknowledgedCount(): number {
    return this.#acknowledgedCount
  }

  applied(member: ObservedMember, { index, numbers }: AppliedEntry): void {
    for (const number of numbers) {
      const known = this.#appliedAt.get(number)
      if (known === undefined) this.#appliedAt.set(number, index)
      else if (known !== index) {
        const detail = `${member.id} applied request ${number} at ${index}, which was applied at ${known}`
        throw new Violation(this.property, detail)
      }
      if (!this.#refused.has(number)) continue
      throw new Violation(
        this.property,
        `${member.id} applied request ${number}, which was refused`,
      )
    }
  }

  answered({ isRead, number, index }: Operation): void {
    if (isRead) return
    this.#acknowledgedCount++
    const known = this.#appliedAt.get(number)
    if (known === index) return
    const place = known === undefined ? 'nowhere' : `at ${known}`
    const detail = `request ${number} was acknowledged at ${index} and is ${place}`
    throw new Violation(this.property, detail)
  }

  refused({ number }: Operation): void {
    this.#refused.add(number)
    const known = this.#appliedAt.get(number)
    if (known === undefined) return
    throw new Violation(this.property, `request ${number} was refused and is applied at ${known}`)
  }
}
