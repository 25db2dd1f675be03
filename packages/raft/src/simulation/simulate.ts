// Runs one seed from start to end on the real shell.
import { RaftNode } from '../node/raft-node.ts'
import type { RunReport } from './run-report.ts'
import { World } from './world.ts'

/** Heartbeat intervals with faults, if nothing else is asked for: 30 simulated seconds. */
export const ticksDefault: number = 300

export interface SimulateOptions {
  readonly seed: number
  readonly ticks?: number
  /** Gets every line of the trace. */
  readonly onTrace?: (line: string) => void
}

/** A pure function of its options and the code. Rejects with a SimulationFailure at the first violation. */
export function simulate(options: SimulateOptions): Promise<RunReport> {
  const { onTrace } = options
  const world = new World({
    seed: options.seed,
    ticks: options.ticks ?? ticksDefault,
    openNode: (nodeOptions) => RaftNode.open(nodeOptions),
    ...(onTrace === undefined ? {} : { onTrace }),
  })
  return world.run()
}
