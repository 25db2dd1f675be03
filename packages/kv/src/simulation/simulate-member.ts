// Runs one seed of the whole member from start to end.
import type { MemberPlantName } from './plants.ts'
import type { MemberRunReport } from './run-report.ts'
import { MemberWorld } from './world.ts'

/** Simulated milliseconds with faults, if nothing else is asked for. */
export const faultsMsDefault: number = 6_000

export interface MemberSimulationOptions {
  readonly seed: number
  /** Simulated milliseconds with faults. */
  readonly faultsMs?: number
  /** Something to be found, on purpose. */
  readonly plant?: MemberPlantName
  /** Gets every line of the trace. */
  readonly onTrace?: (line: string) => void
}

/** A function of its options and the code. Rejects with a MemberSimulationFailure at the first violation. */
export function simulateMember(options: MemberSimulationOptions): Promise<MemberRunReport> {
  return new MemberWorld({ faultsMs: faultsMsDefault, ...options }).run()
}
