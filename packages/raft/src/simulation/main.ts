// `npm run simulate -- [--seeds N] [--seed S] [--ticks T] [--trace]`: many seeds, or one again. Exit code 1 at a violation.
import { parseArgs } from 'node:util'
import { summarize, type RunReport } from './run-report.ts'
import { simulate, ticksDefault } from './simulate.ts'
import { SimulationFailure } from './world.ts'

const seedsDefault = 300

interface Arguments {
  readonly seeds: readonly number[]
  readonly ticks: number
  readonly isTraced: boolean
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function parseArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      ticks: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const ticks = values.ticks === undefined ? ticksDefault : wholeNumber('--ticks', values.ticks)
  const isTraced = values.trace
  if (values.seed !== undefined) {
    return { seeds: [wholeNumber('--seed', values.seed)], ticks, isTraced }
  }
  const count = values.seeds === undefined ? seedsDefault : wholeNumber('--seeds', values.seeds)
  return { seeds: Array.from({ length: count }, (_, i) => i + 1), ticks, isTraced }
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${flag} takes a whole number above 0, not '${text}'`)
}

/** Shows what went wrong first, and how to see it again. */
function printFailure(failure: SimulationFailure, ticks: number): void {
  const { report, trace } = failure
  const ticksFlag = ticks === ticksDefault ? '' : ` --ticks ${ticks}`
  print(['', ...trace, ''].join('\n'))
  print(`VIOLATION  seed ${report.seed}, step ${report.steps}`)
  print(`           ${failure.message}`)
  print(`trace hash ${report.traceHash}`)
  print(`again      npm run simulate -- --seed ${report.seed}${ticksFlag}`)
}

async function main(): Promise<number> {
  const { seeds, ticks, isTraced } = parseArguments()
  const reports: RunReport[] = []
  for (const seed of seeds) {
    try {
      reports.push(await simulate({ seed, ticks, ...(isTraced ? { onTrace: print } : {}) }))
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error
      printFailure(error, ticks)
      return 1
    }
    if (reports.length % 100 === 0 && seeds.length > 100) print(`${reports.length} seeds`)
  }
  print(summarize(reports))
  const [only] = reports
  if (only !== undefined && reports.length === 1) print(`trace hash     ${only.traceHash}`)
  print('no violation')
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
