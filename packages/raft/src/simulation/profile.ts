// What kind of bad day a seed stands for: how many members, how bad the network and the disks, how often members die. Drawn once, at the
// start, so that each seed keeps to its own character.
import type { RaftLimits } from '../node/types.ts'
import type { SeededRandom } from './random.ts'
import type { NetworkFaults } from './sim-network.ts'

export interface Profile {
  readonly memberCount: number
  readonly network: NetworkFaults
  readonly syncMs: { readonly min: number; readonly max: number }
  /** Mean time between two crashes, and how long a member stays away. */
  readonly crashEveryMs: number
  readonly downMs: number
  readonly partitionEveryMs: number
  readonly partitionMs: number
  readonly transferEveryMs: number
  readonly clientCount: number
  /** Mean time a client waits between two requests. */
  readonly thinkMs: number
  readonly readRate: number
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
  readonly snapshotEntries: number
  readonly catchUpEntries: number
  readonly segmentSizeBytes: number
  readonly hasDurableState: boolean
  readonly limits: Partial<RaftLimits>
}

export function drawProfile(random: SeededRandom): Profile {
  const isCalm = random.chance(0.2)
  return {
    memberCount: random.chance(0.6) ? 3 : 5,
    network: drawNetwork(random),
    syncMs: { min: 0.2, max: random.pick([1, 5, 20, 150]) ?? 1 },
    crashEveryMs: isCalm ? 20_000 : random.integer(1_500, 10_000),
    downMs: random.integer(50, 4_000),
    partitionEveryMs: isCalm ? 20_000 : random.integer(2_000, 12_000),
    partitionMs: random.integer(200, 6_000),
    transferEveryMs: random.integer(4_000, 30_000),
    clientCount: random.integer(1, 6),
    thinkMs: random.pick([5, 30, 100, 400]) ?? 30,
    readRate: random.next() * 0.6,
    heartbeatIntervalMs: 100,
    electionTimeoutMs: 1_000,
    snapshotEntries: random.pick([10, 40, 200, 1_000]) ?? 40,
    catchUpEntries: random.pick([0, 5, 50]) ?? 5,
    segmentSizeBytes: random.pick([4_096, 16_384, 65_536]) ?? 16_384,
    hasDurableState: random.chance(0.4),
    limits: { entryCommandsMax: random.pick([1, 8, 1_000]) ?? 8, pendingCommandsMax: 64 },
  }
}

function drawNetwork(random: SeededRandom): NetworkFaults {
  const delayMaxMs = random.pick([1, 5, 30, 120]) ?? 5
  return {
    lossRate: random.chance(0.5) ? random.next() * 0.3 : 0,
    repeatRate: random.chance(0.4) ? random.next() * 0.3 : 0,
    delayMinMs: 0.1,
    delayMaxMs,
    delaySlowMs: random.integer(200, 3_000),
    slowRate: random.chance(0.4) ? random.next() * 0.05 : 0,
    isOrdered: random.chance(0.5),
  }
}
