// A leader hands its role over (thesis 3.10): no proposals meanwhile, the target is brought up to date, then told to campaign. A
// transfer that has not come about within an election timeout is given up.
import type { Outbox } from './outbox.ts'
import type { LogIndex, NodeId, Term } from './types.ts'

export interface TransferOptions {
  readonly id: NodeId
  readonly term: Term
  readonly outbox: Outbox
  readonly patienceTicks: number
}

export class Transfer {
  readonly #options: TransferOptions
  #target: NodeId | undefined
  #elapsed = 0
  #timeoutNowSent = false

  constructor(options: TransferOptions) {
    this.#options = options
  }

  /** Undefined when no transfer is under way. */
  get target(): NodeId | undefined {
    return this.#target
  }

  begin(target: NodeId): void {
    this.#target = target
    this.#elapsed = 0
    this.#timeoutNowSent = false
  }

  stop(): void {
    this.#target = undefined
  }

  tick(): void {
    if (this.#target === undefined) return
    if (++this.#elapsed >= this.#options.patienceTicks) this.stop()
  }

  /** Tells the target to campaign, once, as soon as its log is like the leader's. Returns whether it did so. */
  maybeTimeoutNow(matchIndex: LogIndex | undefined, lastIndex: LogIndex): boolean {
    if (this.#target === undefined || this.#timeoutNowSent) return false
    if (matchIndex !== lastIndex) return false
    this.#timeoutNowSent = true
    const { id, term, outbox } = this.#options
    outbox.send({ type: 'timeoutNow', from: id, to: this.#target, term })
    return true
  }
}
