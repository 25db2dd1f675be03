// Which clusters have witnesses, and which of their members are some. The number of the seed decides, and a generator of its own, so that all
// other seeds do what they would do if there were no witnesses.
import type { NodeId } from '../core/types.ts'
import type { Profile } from './profile.ts'
import { SeededRandom } from './random.ts'

/** Seeds 8, 18, 28 and so on. */
const period = 10
const remainder = 8
/** Apart from every generator that begins with the seed alone. */
const streamBase = 0x517 * 2 ** 32
/** Of those that join later. */
const joiningRate = 0.25

export class WitnessPlan {
  readonly #hasAny: boolean
  readonly #random: SeededRandom

  constructor(seed: number, { memberCount }: Pick<Profile, 'memberCount'>) {
    this.#hasAny = seed % period === remainder && memberCount >= 3
    this.#random = new SeededRandom(streamBase + (seed % 2 ** 32))
  }

  /** None, or a minority: one of three, one or two of five. */
  first(voters: readonly NodeId[]): readonly NodeId[] {
    if (!this.#hasAny) return []
    const count = voters.length < 5 ? 1 : this.#random.integer(1, 2)
    const chosen: NodeId[] = []
    while (chosen.length < count) {
      const id = this.#random.pick(voters.filter((each) => !chosen.includes(each)))
      if (id !== undefined) chosen.push(id)
    }
    return chosen
  }

  /** Whether the next one that joins is one. */
  joins(): boolean {
    return this.#hasAny && this.#random.chance(joiningRate)
  }

  /** Version 1 of the peer protocol cannot tell of witnesses. */
  profileOf(profile: Profile): Profile {
    return this.#hasAny ? { ...profile, oldRate: 0 } : profile
  }
}
