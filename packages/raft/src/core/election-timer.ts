// When to campaign (paper 5.2): ticks since a leader or a granted vote was last heard of, against a timeout drawn anew each time.
import { assert } from './assert.ts'

export class ElectionTimer {
  readonly #electionTicks: number
  readonly #random: () => number
  #elapsed = 0
  #timeout = 0

  constructor(electionTicks: number, random: () => number) {
    assert(electionTicks > 0, 'an election takes at least a tick')
    this.#electionTicks = electionTicks
    this.#random = random
    this.draw()
  }

  /** A new role: a new timeout from [electionTicks, 2 * electionTicks - 1]. */
  draw(): void {
    const random = this.#random()
    assert(random >= 0 && random < 1, 'random numbers lie in [0, 1)')
    this.#timeout = this.#electionTicks + Math.floor(random * this.#electionTicks)
    this.#elapsed = 0
  }

  /** A leader was heard, or a vote was granted. */
  touch(): void {
    this.#elapsed = 0
  }

  /** Nobody else can lead: campaign at the next tick. */
  expireSoon(): void {
    this.#elapsed = this.#timeout - 1
  }

  tick(): void {
    this.#elapsed++
  }

  get isExpired(): boolean {
    return this.#elapsed >= this.#timeout
  }

  /** A leader was heard within an election timeout: no other can have been elected without force (thesis 4.2.3). */
  get isFresh(): boolean {
    return this.#elapsed < this.#electionTicks
  }
}
