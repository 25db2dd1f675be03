// What kind of bad day a seed stands for: how many members, how bad the network and the disks, how often members die. Drawn once, at the
// start, so that each seed keeps to its own character.
import type { RaftConfig } from '../core/types.ts'
import type { RaftLimits } from '../node/types.ts'
import type { SeededRandom } from './random.ts'
import type { NetworkFaults } from './sim-network.ts'

export interface Profile {
  readonly memberCount: number
  readonly network: NetworkFaults
  /** How long a sync takes, for each member. */
  readonly syncMs: readonly { readonly min: number; readonly max: number }[]
  /** Mean time between two crashes, and how long a member stays away. */
  readonly crashEveryMs: number
  readonly downMs: number
  /** How often a member dies just when a message of an election, or of the log, has arrived. */
  readonly electionAmbushRate: number
  readonly logAmbushRate: number
  /** How often a member dies, or is cut off, soon after it was elected, and as it hears of its first entries. */
  readonly leaderAmbushRate: number
  readonly youngLeaderAmbushRate: number
  /** How often a member dies just when the leader has heard of a read of it. */
  readonly readAmbushRate: number
  readonly partitionEveryMs: number
  readonly partitionMs: number
  /** Mean times of faults that may not happen at all: 0 for never. */
  readonly clogEveryMs: number
  readonly clogMs: number
  readonly diskCrashEveryMs: number
  /** Leaders answer reads by lease, with a bound of the clocks' drift that is met. */
  readonly hasLeases: boolean
  /** Of each member in elections. */
  readonly priorities: readonly number[]
  /** Members that begin with version 1 of the peer protocol, and the time between two upgrades. */
  readonly oldRate: number
  readonly upgradeEveryMs: number
  readonly clock: ClockFaults
  readonly disk: DiskFaults
  readonly damage: DamageFaults
  readonly changeEveryMs: number
  readonly votersMax: number
  /** With those that join later. */
  readonly membersMax: number
  readonly transferEveryMs: number
  readonly clientCount: number
  /** Mean time a client waits between two requests. */
  readonly thinkMs: number
  readonly readRate: number
  /** How often a client asks for more at once than a member takes. */
  readonly burstRate: number
  /** Registers that the clients share. */
  readonly keyCount: number
  /** Payload of a command beside its name: large ones span many sectors of a disk. */
  readonly paddingSizeBytes: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly snapshotEntries: number
  readonly catchUpEntries: number
  readonly segmentSizeBytes: number
  readonly hasDurableState: boolean
  /** Pieces of a snapshot beside the first. */
  readonly ballastChunks: number
  /** Limits of the core, small enough to be met. */
  readonly core: Pick<
    RaftConfig,
    | 'messageSizeBytesMax'
    | 'inflightMessagesMax'
    | 'inflightSizeBytesMax'
    | 'uncommittedSizeBytesMax'
    | 'entryCacheSizeBytesMax'
  >
  readonly limits: Partial<RaftLimits>
}

/** Mean times of faults that may not happen at all: 0 for never. */
export interface ClockFaults {
  readonly pauseEveryMs: number
  /** Some pauses are sleeps of the machine: its monotonic clock stands still. */
  readonly hasSuspends: boolean
  readonly jumpEveryMs: number
  readonly driftEveryMs: number
  /** Of what any two clocks differ by. */
  readonly driftRateMax: number
}

/** Mean times of faults that may not happen at all: 0 for never. */
export interface DiskFaults {
  readonly readErrorEveryMs: number
  readonly failedSyncEveryMs: number
  readonly fullEveryMs: number
  readonly stuckEveryMs: number
  /** Of the errors that come back until the disk is repaired, and how long that takes. */
  readonly stickyRate: number
  readonly repairMs: number
}

/** Mean times of damage that nobody is told of: 0 for never. */
export interface DamageFaults {
  readonly flipEveryMs: number
  readonly misdirectEveryMs: number
}

type Misfortune = Pick<
  Profile,
  | 'crashEveryMs'
  | 'downMs'
  | 'electionAmbushRate'
  | 'logAmbushRate'
  | 'leaderAmbushRate'
  | 'youngLeaderAmbushRate'
  | 'partitionEveryMs'
  | 'partitionMs'
  | 'heartbeatIntervalMs'
  | 'electionTimeoutMs'
>

/** A disk on its way out: slower than an election. */
const slowSyncMs = 1_200

export function drawProfile(random: SeededRandom): Profile {
  const memberCount = drawMemberCount(random)
  const membersMax = memberCount + random.integer(1, 5)
  const syncMaxMs = random.pick([1, 5, 20, 100]) ?? 5
  return {
    memberCount,
    ...drawMisfortune(random),
    network: drawNetwork(random),
    // One slow disk among fast ones is another matter than slow disks.
    syncMs: Array.from({ length: membersMax }, () => {
      return { min: 0.2, max: random.chance(0.2) ? slowSyncMs : syncMaxMs }
    }),
    readAmbushRate: random.chance(0.15) ? random.next() * 0.3 : 0,
    clogEveryMs: maybeEvery(random, 0.4, { min: 1_000, max: 10_000 }),
    clogMs: random.integer(100, 3_000),
    diskCrashEveryMs: maybeEvery(random, 0.6, { min: 1_000, max: 10_000 }),
    hasLeases: random.chance(0.5),
    priorities: Array.from({ length: membersMax }, () => random.pick([1, 1, 1, 2, 9]) ?? 1),
    oldRate: random.pick([0, 0, 0.5, 1]) ?? 0,
    upgradeEveryMs: random.integer(1_000, 10_000),
    clock: drawClockFaults(random),
    disk: drawDiskFaults(random),
    damage: {
      flipEveryMs: maybeEvery(random, flipRate, { min: 500, max: 8_000 }),
      misdirectEveryMs: maybeEvery(random, misdirectRate, { min: 1_000, max: 10_000 }),
    },
    changeEveryMs: maybeEvery(random, 0.5, { min: 500, max: 8_000 }),
    votersMax: random.integer(3, 5),
    membersMax,
    transferEveryMs: random.integer(4_000, 30_000),
    clientCount: random.integer(1, 6),
    thinkMs: random.pick([2, 10, 40, 200]) ?? 40,
    readRate: random.next() * 0.6,
    burstRate: random.chance(0.1) ? 0.02 : 0,
    keyCount: random.integer(1, 6),
    paddingSizeBytes: random.pick([0, 100, 600, 3_000]) ?? 0,
    snapshotEntries: random.pick([5, 20, 100, 1_000]) ?? 20,
    catchUpEntries: random.pick([0, 0, 3, 50]) ?? 3,
    segmentSizeBytes: random.pick([4_096, 16_384, 65_536]) ?? 16_384,
    hasDurableState: random.chance(0.4),
    ballastChunks: random.pick([0, 3, 20]) ?? 3,
    core: {
      messageSizeBytesMax: random.pick([1, 100, 1_000, 100_000]) ?? 1_000,
      inflightMessagesMax: random.pick([1, 2, 8, 256]) ?? 8,
      inflightSizeBytesMax: random.pick([1, 500, 1_000_000]) ?? 500,
      uncommittedSizeBytesMax: random.pick([300, 3_000, 1_000_000]) ?? 3_000,
      entryCacheSizeBytesMax: random.pick([0, 1_000, 100_000]) ?? 1_000,
    },
    limits: {
      entryCommandsMax: random.pick([1, 8, 1_000]) ?? 8,
      pendingCommandsMax: 64,
      logRetentionEntriesMax: random.pick([0, 0, 20, 1_000]) ?? 0,
    },
  }
}

/** Of the runs with such damage. */
const flipRate = 0.6
const misdirectRate = 0.5

function drawMemberCount(random: SeededRandom): number {
  const dice = random.next()
  if (dice < 0.05) return 1
  return dice < 0.6 ? 3 : 5
}

function drawMisfortune(random: SeededRandom): Misfortune {
  const dice = random.next()
  if (dice < 0.12) return calm
  if (dice < 0.5) {
    return {
      ...calm,
      crashEveryMs: random.integer(1_500, 10_000),
      downMs: random.integer(50, 4_000),
      partitionEveryMs: random.integer(2_000, 12_000),
      partitionMs: random.integer(200, 6_000),
    }
  }
  // A storm: elections follow each other, and members die in the middle of them and are back before they are over.
  return {
    crashEveryMs: random.integer(600, 4_000),
    downMs: random.pick([2, 20, 200]) ?? 20,
    electionAmbushRate: random.chance(0.5) ? random.next() * 0.2 : 0,
    logAmbushRate: random.next() * 0.005,
    leaderAmbushRate: random.next() * 0.8,
    youngLeaderAmbushRate: random.next() * 0.5,
    partitionEveryMs: random.integer(500, 4_000),
    partitionMs: random.integer(100, 1_500),
    heartbeatIntervalMs: 50,
    electionTimeoutMs: 300,
  }
}

const calm: Misfortune = {
  crashEveryMs: 20_000,
  downMs: 2_000,
  electionAmbushRate: 0,
  logAmbushRate: 0,
  leaderAmbushRate: 0,
  youngLeaderAmbushRate: 0,
  partitionEveryMs: 20_000,
  partitionMs: 2_000,
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 1_000,
}

function drawClockFaults(random: SeededRandom): ClockFaults {
  return {
    pauseEveryMs: maybeEvery(random, 0.5, { min: 500, max: 8_000 }),
    hasSuspends: random.chance(0.5),
    jumpEveryMs: maybeEvery(random, 0.4, { min: 500, max: 8_000 }),
    driftEveryMs: maybeEvery(random, 0.4, { min: 500, max: 8_000 }),
    driftRateMax: random.pick([0.001, 0.05, 0.3]) ?? 0.05,
  }
}

function drawDiskFaults(random: SeededRandom): DiskFaults {
  const isFaulty = random.chance(0.4)
  const rate = isFaulty ? 0.5 : 0
  return {
    readErrorEveryMs: maybeEvery(random, rate, { min: 1_000, max: 10_000 }),
    failedSyncEveryMs: maybeEvery(random, rate, { min: 1_000, max: 10_000 }),
    fullEveryMs: maybeEvery(random, rate, { min: 2_000, max: 15_000 }),
    stuckEveryMs: maybeEvery(random, rate, { min: 1_000, max: 10_000 }),
    stickyRate: random.next() * 0.5,
    repairMs: random.integer(100, 4_000),
  }
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
    lossRate: random.chance(0.5) ? random.next() * 0.3 : 0,
    repeatRate: random.chance(0.4) ? random.next() * 0.3 : 0,
    delayMinMs: 0.1,
    delayMaxMs: random.pick([1, 5, 30, 120]) ?? 5,
    delaySlowMs: random.integer(200, 3_000),
    slowRate: random.chance(0.4) ? random.next() * 0.05 : 0,
    isOrdered: random.chance(0.5),
  }
}
