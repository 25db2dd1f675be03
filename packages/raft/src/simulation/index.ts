// The public names of @balsa/raft/simulation.
export { DiskTrouble } from './disk-trouble.ts'
export { Gate, type Source } from './gate.ts'
export { LocalClock } from './local-clock.ts'
export { peerWire } from './peer-wire.ts'
export { SeededRandom } from './random.ts'
export { runSeedCommand, type SeedCommand } from './seed-command.ts'
export { Trace } from './trace.ts'
export { Scheduler } from './scheduler.ts'
export { SimClock } from './sim-clock.ts'
export { SimDisk, SimFileError } from './sim-disk.ts'
export { SimFileSystem, type DiskTiming } from './sim-file-system.ts'
export {
  noNetworkFaults,
  SimNetwork,
  SimTransport,
  type NetworkFaults,
  type SimNetworkOptions,
} from './sim-network.ts'
export { digestOf, type RunReport } from './run-report.ts'
export { plantNames, type PlantName } from './plants.ts'
export { simulate, ticksDefault, type OwnApplication, type SimulateOptions } from './simulate.ts'
export type { CreateStateMachine, MachineHost, Specification, Workload } from './workload.ts'
export { SimulationFailure } from './world.ts'
