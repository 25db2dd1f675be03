// `npm run simulate -- --member [--seeds N] [--seed S] [--faults-ms T] [--jobs J] [--trace] [--plant NAME]`: the whole member under many
// seeds, or under one again. Exit code 1 at a violation.
import { digestOf, runSeeds } from '@balsa/raft/simulation'
import { parseArguments, type MainArguments } from './main-arguments.ts'
import { summarize } from './run-report.ts'
import { runSeed, type MemberSeedOutcome } from './run-seed.ts'
import { seedWorkerPath, type MemberSeedRequest } from './seed-worker.ts'
import { faultsMsDefault } from './simulate-member.ts'

const progressEvery = 100

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function run(given: MainArguments): Promise<readonly MemberSeedOutcome[]> {
  const { seeds, faultsMs, isTraced, jobs, plant } = given
  const [only] = seeds
  const shared = { faultsMs, ...(plant === undefined ? {} : { plant }) }
  if (seeds.length === 1 && only !== undefined) {
    return [await runSeed({ seed: only, ...shared, ...(isTraced ? { onTrace: print } : {}) })]
  }
  return await runSeeds<MemberSeedRequest, MemberSeedOutcome>({
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
function printFailure({ report, failure }: MemberSeedOutcome, given: MainArguments): void {
  const { faultsMs, plant } = given
  const plantFlag = plant === undefined ? '' : ` --plant ${plant}`
  const flags = (faultsMs === faultsMsDefault ? '' : ` --faults-ms ${faultsMs}`) + plantFlag
  print(['', ...(failure?.trace ?? []), ''].join('\n'))
  print(`VIOLATION  seed ${report.seed}, step ${report.steps}`)
  print(`           ${failure?.message ?? ''}`)
  print(`trace hash ${report.traceHash}`)
  print(`again      npm run simulate -- --member --seed ${report.seed}${flags}`)
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
