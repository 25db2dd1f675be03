// A process that runs one seed after another: it gets a seed's options and answers with its outcome. Runs share nothing.
import { fileURLToPath } from 'node:url'
import { runSeed } from './run-seed.ts'
import type { MemberSimulationOptions } from './simulate-member.ts'

/** What a worker is asked. */
export type MemberSeedRequest = Omit<MemberSimulationOptions, 'onTrace'>

/** This very file, compiled or not. */
export const seedWorkerPath: string = fileURLToPath(import.meta.url)

if (process.argv[1] === seedWorkerPath) {
  process.on('message', (request: MemberSeedRequest) => {
    // A rejection ends the process, and the pool hears of it.
    void runSeed(request).then((outcome) => process.send?.(outcome))
  })
}
