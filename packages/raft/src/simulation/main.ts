// `npm run simulate -- [--seeds N] [--seed S] [--ticks T] [--jobs J] [--trace] [--plant NAME]`: many seeds, or one again. Exit code 1 at a violation.
import { parseArguments, type MainArguments } from './main-arguments.ts'
import { digestOf, summarize } from './run-report.ts'
import { runSeed, type SeedOutcome } from './run-seed.ts'
import { runSeeds } from './seed-pool.ts'
import { seedWorkerPath, type SeedRequest } from './seed-worker.ts'
import { ticksDefault } from './simulate.ts'

const progressEvery = 100

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function run({
  seeds,
  ticks,
  isTraced,
  jobs,
  plant,
}: MainArguments): Promise<readonly SeedOutcome[]> {
  const [only] = seeds
  const shared = { ticks, ...(plant === undefined ? {} : { plant }) }
  if (seeds.length === 1 && only !== undefined) {
    return [await runSeed({ seed: only, ...shared, ...(isTraced ? { onTrace: print } : {}) })]
  }
  return await runSeeds<SeedRequest, SeedOutcome>({
    worker: seedWorkerPath,
    requests: seeds.map((seed) => ({ seed, ...shared })),
    jobs,
    onProgress: (doneCount) => {
      const isDue = doneCount % progressEvery === 0 && seeds.length > progressEvery
      if (isDue) print(`${doneCount} seeds`)
    },
  })
}

/** Shows what went wrong first, and how to see it again. */
function printFailure({ report, failure }: SeedOutcome, { ticks, plant }: MainArguments): void {
  const plantFlag = plant === undefined ? '' : ` --plant ${plant}`
  const flags = (ticks === ticksDefault ? '' : ` --ticks ${ticks}`) + plantFlag
  print(['', ...(failure?.trace ?? []), ''].join('\n'))
  print(`VIOLATION  seed ${report.seed}, step ${report.steps}`)
  print(`           ${failure?.message ?? ''}`)
  print(`trace hash ${report.traceHash}`)
  print(`again      npm run simulate -- --seed ${report.seed}${flags}`)
}

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2))
  const startedAt = performance.now()
  const outcomes = await run(given)
  const failed = outcomes.find(({ failure }) => failure !== undefined)
  if (failed !== undefined) {
    printFailure(failed, given)
    return 1
  }
  const reports = outcomes.map(({ report }) => report)
  print(summarize(reports, performance.now() - startedAt))
  print(`trace hash     ${digestOf(reports)}${reports.length === 1 ? '' : ' (of all)'}`)
  print('no violation')
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
