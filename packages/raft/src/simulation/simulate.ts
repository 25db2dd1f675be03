// Runs one seed from start to end on the real shell.
import { RaftNode } from '../node/raft-node.ts'
import type { StateMachine } from '../node/types.ts'
import { peerWire } from './peer-wire.ts'
import { planted, type PlantName } from './plants.ts'
import { registerApplication } from './register-workload.ts'
import type { RunReport } from './run-report.ts'
import type { Application, CreateStateMachine, Workload } from './workload.ts'
import { World } from './world.ts'

/** Heartbeat intervals with faults, if nothing else is asked for: 30 simulated seconds. */
export const ticksDefault: number = 300

export interface SimulateOptions {
  readonly seed: number
  readonly ticks?: number
  /** Something to be found, on purpose. */
  readonly plant?: PlantName
  /** Gets every line of the trace. */
  readonly onTrace?: (line: string) => void
}

/** What a user brings to have it tested. */
export interface OwnApplication<Input, Output, State, Machine extends StateMachine<Output>> {
  readonly stateMachine: CreateStateMachine<Machine>
  readonly workload: () => Workload<Input, Output, State, Machine>
}

/** A pure function of its options and the code. Rejects with a SimulationFailure at the first violation. */
export function simulate<Input, Output, State, Machine extends StateMachine<Output>>(
  options: SimulateOptions & Partial<OwnApplication<Input, Output, State, Machine>>,
): Promise<RunReport> {
  const { onTrace, stateMachine, workload, plant } = options
  const own =
    stateMachine === undefined || workload === undefined
      ? undefined
      : ownApplication({ stateMachine, workload })
  const world = new World({
    seed: options.seed,
    ticks: options.ticks ?? ticksDefault,
    wire: peerWire,
    openNode: (nodeOptions) => {
      return RaftNode.open(plant === undefined ? nodeOptions : planted(plant, nodeOptions))
    },
    application: own === undefined ? registerApplication : () => own,
    ...(onTrace === undefined ? {} : { onTrace }),
  })
  return world.run()
}

function ownApplication<Input, Output, State, Machine extends StateMachine<Output>>(
  options: OwnApplication<Input, Output, State, Machine>,
): Application {
  return { workload: options.workload(), home: () => ({ open: options.stateMachine }) }
}
