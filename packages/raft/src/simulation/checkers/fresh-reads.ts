// Linearizable reads, seen at once: a read sees every write that was acknowledged, and every state that was read, before it began. (What the
// answers themselves say is judged in the end, see linearizability.ts.)
import type { LogIndex } from '../../core/types.ts'
import { Violation, type Checker } from './checker.ts'
import type { Operation } from './history.ts'

export class FreshReads implements Checker {
  readonly property = 'reads are fresh'
  #visibleIndex: LogIndex = 0
  readonly #endings = new Map<number, (appliedIndex: LogIndex) => void>()
  #readCount = 0

  get readCount(): number {
    return this.#readCount
  }

  /** Somebody has seen the state at `index`. */
  visible(index: LogIndex): void {
    this.#visibleIndex = Math.max(this.#visibleIndex, index)
  }

  /** A read begins; returns what to call when it is answered by a state at `appliedIndex`. */
  reading(): (appliedIndex: LogIndex) => void {
    const visibleIndex = this.#visibleIndex
    return (appliedIndex) => {
      if (appliedIndex < visibleIndex) {
        const detail = `a read saw the state at ${appliedIndex}, but ${visibleIndex} was visible`
        throw new Violation(this.property, detail)
      }
      this.#readCount++
      this.visible(appliedIndex)
    }
  }

  called({ isRead, number }: Operation): void {
    if (isRead) this.#endings.set(number, this.reading())
  }

  refused({ number }: Operation): void {
    this.#endings.delete(number)
  }

  answered({ isRead, number, index = 0 }: Operation): void {
    if (!isRead) this.visible(index)
    this.#endings.get(number)?.(index)
    this.#endings.delete(number)
  }
}
