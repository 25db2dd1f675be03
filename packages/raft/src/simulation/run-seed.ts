// One seed as plain data, so that its outcome can cross from one thread to another.
import type { RunReport } from './run-report.ts'
import { simulate, type SimulateOptions } from './simulate.ts'
import { SimulationFailure } from './world.ts'

/** What a seed came to: `failure` is there at a violation. */
export interface SeedOutcome {
  readonly report: RunReport
  readonly failure?: {
    readonly message: string
    /** The last lines of the trace. */
    readonly trace: readonly string[]
  }
}

/** Runs one seed; a violation is an outcome, not an error. */
export async function runSeed(options: SimulateOptions): Promise<SeedOutcome> {
  try {
    return { report: await simulate(options) }
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error
    const { report, message, trace } = error
    return { report, failure: { message, trace } }
  }
}
