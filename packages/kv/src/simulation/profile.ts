// What kind of bad day a seed stands for: how many members, how bad network, power and clocks are, what the clients like to ask. Drawn
// once, at the start, so that each seed keeps to its own character. Runs are short: many seeds see more than long ones.
import type { NetworkFaults, SeededRandom } from '@balsa/raft/simulation'
import type { Extras } from './extras.ts'

export interface MemberProfile {
  readonly memberCount: number
  readonly network: NetworkFaults
  /** How long a sync of the log takes, and a step of the tables. */
  readonly syncMsMax: number
  readonly tableStepMsMax: number
  /** Rows in one batch of a view of the tables. */
  readonly viewRowsMax: number
  /** Mean times between two faults of a kind; 0: never. */
  readonly crashEveryMs: number
  readonly downMs: number
  readonly partitionEveryMs: number
  readonly partitionMs: number
  readonly pauseEveryMs: number
  readonly pauseMs: number
  readonly driftEveryMs: number
  /** Clocks run at 1 - this to 1 + this. */
  readonly driftRateMax: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly snapshotEntries: number
  readonly catchUpEntries: number
  /** Log that a leader keeps for a follower that is behind; further behind it gets a snapshot. */
  readonly logRetentionEntriesMax: number
  readonly entryCommandsMax: number
  readonly clientCount: number
  readonly thinkMs: number
  readonly watchClientCount: number
  /** How often a client that watches moves to another member, or asks how far it is. */
  readonly watchMoveEveryMs: number
  /** How often a wire to such a client is full. */
  readonly fullWireRate: number
  readonly keyCount: number
  /** Weights of what clients ask. */
  readonly weights: RequestWeights
  readonly extras: Extras
}

export interface RequestWeights {
  readonly put: number
  readonly range: number
  readonly deleteRange: number
  readonly txn: number
  readonly compact: number
  readonly lease: number
  readonly hashKv: number
  readonly defragment: number
}

type Misfortune = Pick<
  MemberProfile,
  | 'crashEveryMs'
  | 'downMs'
  | 'partitionEveryMs'
  | 'partitionMs'
  | 'heartbeatIntervalMs'
  | 'electionTimeoutMs'
>

export function drawProfile(random: SeededRandom, extras: Extras): MemberProfile {
  return {
    extras,
    memberCount: random.pick([1, 3, 3, 3, 3, 3, 5]) ?? 3,
    ...drawMisfortune(random),
    network: drawNetwork(random),
    syncMsMax: random.pick([1, 5, 20, 100]) ?? 5,
    tableStepMsMax: random.pick([0, 5, 50, 300]) ?? 0,
    viewRowsMax: random.pick([1, 5, 1_000]) ?? 5,
    pauseEveryMs: maybeEvery(random, 0.6, { min: 500, max: 5_000 }),
    pauseMs: random.pick([200, 1_000, 3_000, 3_000]) ?? 1_000,
    driftEveryMs: maybeEvery(random, 0.4, { min: 500, max: 4_000 }),
    driftRateMax: random.pick([0.001, 0.05, 0.2]) ?? 0.05,
    snapshotEntries: random.pick([5, 5, 15, 50, 1_000]) ?? 15,
    catchUpEntries: random.pick([0, 0, 3, 20]) ?? 3,
    logRetentionEntriesMax: random.pick([0, 0, 20, 1_000]) ?? 0,
    entryCommandsMax: random.pick([1, 8, 1_000]) ?? 8,
    clientCount: random.integer(1, 4),
    thinkMs: random.pick([10, 50, 200]) ?? 50,
    watchClientCount: random.integer(1, 3),
    watchMoveEveryMs: random.integer(500, 5_000),
    fullWireRate: random.chance(0.4) ? random.next() * 0.3 : 0,
    keyCount: random.integer(2, 10),
    weights: drawWeights(random),
  }
}

/** Every seed has requests that it likes more than others do. */
function drawWeights(random: SeededRandom): RequestWeights {
  const some = (most: number): number => (random.chance(0.8) ? random.next() * most : 0)
  return {
    put: 1 + some(4),
    range: some(3),
    deleteRange: some(2),
    txn: some(4),
    compact: some(0.6),
    lease: some(3),
    hashKv: some(0.4),
    defragment: some(0.2),
  }
}

function drawMisfortune(random: SeededRandom): Misfortune {
  const dice = random.next()
  if (dice < 0.12) return calm
  // Elections are quick, and little else happens: who stands still for a moment has lost the lead.
  if (dice < 0.25) return { ...calm, heartbeatIntervalMs: 50, electionTimeoutMs: 300 }
  if (dice < 0.6) {
    return {
      ...calm,
      crashEveryMs: random.integer(1_000, 6_000),
      downMs: random.integer(50, 3_000),
      partitionEveryMs: random.integer(1_500, 8_000),
      partitionMs: random.integer(200, 4_000),
    }
  }
  // A storm: leaders follow each other.
  return {
    crashEveryMs: random.integer(500, 3_000),
    downMs: random.pick([2, 20, 200]) ?? 20,
    partitionEveryMs: random.integer(500, 4_000),
    partitionMs: random.integer(100, 1_500),
    heartbeatIntervalMs: 50,
    electionTimeoutMs: 300,
  }
}

const calm: Misfortune = {
  crashEveryMs: 20_000,
  downMs: 1_000,
  partitionEveryMs: 20_000,
  partitionMs: 2_000,
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 1_000,
}

function maybeEvery(
  random: SeededRandom,
  rate: number,
  meanMs: { readonly min: number; readonly max: number },
): number {
  const drawn = random.integer(meanMs.min, meanMs.max)
  return random.chance(rate) ? drawn : 0
}

function drawNetwork(random: SeededRandom): NetworkFaults {
  return {
    lossRate: random.chance(0.4) ? random.next() * 0.2 : 0,
    repeatRate: random.chance(0.3) ? random.next() * 0.2 : 0,
    delayMinMs: 0.1,
    delayMaxMs: random.pick([1, 5, 30, 100]) ?? 5,
    delaySlowMs: random.integer(200, 2_000),
    slowRate: random.chance(0.3) ? random.next() * 0.05 : 0,
    isOrdered: random.chance(0.6),
  }
}
