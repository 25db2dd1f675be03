// Members are upgraded one by one, while all goes on and goes wrong.
import type { SeededRandom } from '../random.ts'
import type { Crashes } from './crashes.ts'
import type { FaultContext } from './fault-context.ts'

export function beginUpgrades(context: FaultContext, crashes: Crashes): void {
  new Upgrades(context, crashes).begin()
}

class Upgrades {
  readonly #context: FaultContext
  readonly #crashes: Crashes
  readonly #random: SeededRandom

  constructor(context: FaultContext, crashes: Crashes) {
    this.#context = context
    this.#crashes = crashes
    this.#random = context.fork()
  }

  begin(): void {
    const { profile } = this.#context
    this.#context.repeat(this.#random, profile.upgradeEveryMs, () => {
      this.#upgrade()
    })
  }

  #upgrade(): void {
    const { members } = this.#context
    const member = this.#random.pick(members.filter((each) => each.isOld && each.hasStarted))
    if (member === undefined) return
    this.#crashes.upgrade(member)
  }
}
