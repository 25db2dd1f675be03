// The flags of `npm run simulate`.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isPlantName, plantNames, type PlantName } from './plants.ts'
import { ticksDefault } from './simulate.ts'

const seedsDefault = 300

export interface MainArguments {
  readonly seeds: readonly number[]
  readonly ticks: number
  readonly isTraced: boolean
  readonly plant?: PlantName
  /** Processes that run seeds. */
  readonly jobs: number
}

/** Throws a RangeError or TypeError that says what is wrong with the flags. */
export function parseArguments(args: readonly string[]): MainArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      ticks: { type: 'string' },
      plant: { type: 'string' },
      jobs: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const shared = {
    ticks: wholeNumber('--ticks', values.ticks, ticksDefault),
    isTraced: values.trace,
    ...(values.plant === undefined ? {} : { plant: plantName(values.plant) }),
    jobs: wholeNumber('--jobs', values.jobs, availableParallelism()),
  }
  if (values.seed !== undefined) return { seeds: [wholeNumber('--seed', values.seed)], ...shared }
  const count = wholeNumber('--seeds', values.seeds, seedsDefault)
  return { seeds: Array.from({ length: count }, (_, i) => i + 1), ...shared }
}

function plantName(name: string): PlantName {
  if (isPlantName(name)) return name
  throw new RangeError(`--plant takes one of ${plantNames.join(', ')}, not '${name}'`)
}

function wholeNumber(flag: string, text: string | undefined, otherwise?: number): number {
  if (text === undefined && otherwise !== undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${flag} takes a whole number above 0, not '${text}'`)
}
