// `npm run simulate -- --member [--seeds N] [--seed S] [--faults-ms T] [--jobs J] [--trace] [--plant NAME]`: the whole member under many
// seeds, or under one again. Exit code 1 at a violation.
import { runSeedCommand } from '@balsa/raft/simulation'
import { isMemberPlantName, memberPlantNames } from './plants.ts'
import { summarize } from './run-report.ts'
import { runSeed } from './run-seed.ts'
import { seedWorkerPath } from './seed-worker.ts'
import { faultsMsDefault } from './simulate-member.ts'

process.exitCode = await runSeedCommand(
  {
    name: 'npm run simulate -- --member',
    ownFlags: ['member'],
    lengthFlag: 'faults-ms',
    lengthDefault: faultsMsDefault,
    plants: memberPlantNames,
    worker: seedWorkerPath,
    nowMs: () => performance.now(),
    requestOf: ({ seed, length: faultsMs, plant = '' }) => {
      return { seed, faultsMs, ...(isMemberPlantName(plant) ? { plant } : {}) }
    },
    runSeed,
    summarize,
  },
  process.argv.slice(2),
)
