// Processes stand still, machines sleep, clocks run fast and slow and are set: what a member that trusts its clock gets to see.
import type { SeededRandom } from '../random.ts'
import type { SimMember } from '../sim-member.ts'
import type { FaultContext } from './fault-context.ts'

/** A wall clock is set by this much at most. */
const jumpMsMax = 3_600_000

export function beginPauses(context: FaultContext): void {
  new Pauses(context).begin()
}

class Pauses {
  readonly #context: FaultContext
  readonly #random: SeededRandom

  constructor(context: FaultContext) {
    this.#context = context
    this.#random = context.fork()
  }

  begin(): void {
    const { profile } = this.#context
    this.#context.repeat(this.#random, profile.clock.pauseEveryMs, () => {
      this.#pause()
    })
    this.#context.repeat(this.#random, profile.clock.jumpEveryMs, () => {
      this.#jump()
    })
    this.#context.repeat(this.#random, profile.clock.driftEveryMs, () => {
      this.#drift()
    })
  }

  /** The leader first of all: it may believe to lead still when it goes on. */
  #target(): SimMember | undefined {
    const context = this.#context
    return this.#random.chance(0.6) ? context.leader() : context.anyMember(this.#random)
  }

  #pause(): void {
    const random = this.#random
    const { profile, counts, onFault, onPaused, scheduler } = this.#context
    const member = this.#target()
    if (member?.isUp !== true || member.isPaused) return
    const life = member.lifeNumber
    const isSuspend = profile.clock.hasSuspends && random.chance(0.5)
    if (isSuspend) counts.suspends++
    else counts.pauses++
    const electionTimeouts = random.pick([0.2, 1, 2, 8]) ?? 1
    const holdMs = random.next() * 2 * electionTimeouts * profile.electionTimeoutMs
    onFault(`${isSuspend ? 'suspend' : 'pause'} of ${member.id} for ${holdMs.toFixed(0)} ms`)
    member.pause(isSuspend)
    onPaused(member)
    const first = random.pick(['timer', 'client', 'client', undefined] as const)
    scheduler.after(holdMs, () => {
      if (member.lifeNumber !== life || !member.isPaused) return
      onFault(`${member.id} goes on`)
      member.resume(first)
    })
  }

  #jump(): void {
    const random = this.#random
    const { profile, counts, onFault } = this.#context
    const member = random.pick(this.#context.members)
    if (member === undefined) return
    // A clock that is set back by as long as its machine slept hides the sleep: no lease can stand that, and none claims to.
    const isBack = !profile.clock.hasSuspends && random.chance(0.5)
    const size = random.next() * (random.chance(0.5) ? profile.electionTimeoutMs : jumpMsMax)
    counts.clockJumps++
    onFault(
      `wall clock of ${member.id} is set ${isBack ? 'back' : 'forward'} ${size.toFixed(0)} ms`,
    )
    member.clock.jumpWall(isBack ? -size : size)
  }

  /** Rates lie between 1 - driftRateMax and 1, so that no two clocks differ by more. */
  #drift(): void {
    const { profile, counts, onFault, members } = this.#context
    const member = this.#random.pick(members)
    if (member === undefined) return
    const part = this.#random.pick([0, 1, this.#random.next()]) ?? 0
    const rate = 1 - part * profile.clock.driftRateMax
    counts.clockDrifts++
    onFault(`clock of ${member.id} runs at ${rate.toFixed(4)}`)
    member.clock.setRate(rate)
  }
}
