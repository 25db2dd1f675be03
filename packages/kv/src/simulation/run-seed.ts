// One seed as plain data, so that its outcome can cross from one process to another.
import type { MemberRunReport } from './run-report.ts'
import { simulateMember, type MemberSimulationOptions } from './simulate-member.ts'
import { MemberSimulationFailure } from './world.ts'

/** What a seed came to: `failure` is there at a violation. */
export interface MemberSeedOutcome {
  readonly report: MemberRunReport
  readonly failure?: {
    readonly message: string
    /** The last lines of the trace. */
    readonly trace: readonly string[]
  }
}

/** Runs one seed; a violation is an outcome, not an error. */
export async function runSeed(options: MemberSimulationOptions): Promise<MemberSeedOutcome> {
  try {
    return { report: await simulateMember(options) }
  } catch (error) {
    if (!(error instanceof MemberSimulationFailure)) throw error
    const { report, message, trace } = error
    return { report, failure: { message, trace } }
  }
}
