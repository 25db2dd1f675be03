// `npm run simulate -- [--seeds N] [--seed S] [--ticks T] [--jobs J] [--trace] [--plant NAME]`: many seeds, or one again. Exit code 1 at a violation.
import { isPlantName, plantNames } from './plants.ts'
import { summarize } from './run-report.ts'
import { runSeed } from './run-seed.ts'
import { runSeedCommand } from './seed-command.ts'
import { seedWorkerPath } from './seed-worker.ts'
import { ticksDefault } from './simulate.ts'

process.exitCode = await runSeedCommand(
  {
    name: 'npm run simulate --',
    ownFlags: [],
    lengthFlag: 'ticks',
    lengthDefault: ticksDefault,
    plants: plantNames,
    worker: seedWorkerPath,
    nowMs: () => performance.now(),
    requestOf: ({ seed, length: ticks, plant = '' }) => {
      return { seed, ticks, ...(isPlantName(plant) ? { plant } : {}) }
    },
    runSeed,
    summarize,
  },
  process.argv.slice(2),
)
