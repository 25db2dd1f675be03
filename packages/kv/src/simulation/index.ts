// The public names of @balsa/kv/simulation.
export { memberPlantNames, type MemberPlantName } from './plants.ts'
export type { MemberRunReport } from './run-report.ts'
export { simulateMember, type MemberSimulationOptions } from './simulate-member.ts'
export { Violation } from './violation.ts'
export { MemberSimulationFailure } from './world.ts'
