// Linearizable reads: a read sees every write that was acknowledged, and every state that was read, before it began.
import type { LogIndex } from '../../core/types.ts'
import { Violation, type AcknowledgedWrite, type Checker } from './checker.ts'

export class FreshReads implements Checker {
  readonly property = 'reads are fresh'
  #visibleIndex: LogIndex = 0
  #readCount = 0

  get readCount(): number {
    return this.#readCount
  }

  acknowledged(write: AcknowledgedWrite): void {
    this.#visibleIndex = Math.max(this.#visibleIndex, write.index)
  }

  reading(): (appliedIndex: LogIndex) => void {
    const visibleIndex = this.#visibleIndex
    return (appliedIndex) => {
      if (appliedIndex < visibleIndex) {
        const detail = `a read saw the state at ${appliedIndex}, but ${visibleIndex} was visible`
        throw new Violation(this.property, detail)
      }
      this.#readCount++
      this.#visibleIndex = Math.max(this.#visibleIndex, appliedIndex)
    }
  }
}
