// The flags of `npm run simulate -- --member`.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMemberPlantName, memberPlantNames, type MemberPlantName } from './plants.ts'
import { faultsMsDefault } from './simulate-member.ts'

const seedsDefault = 300

export interface MainArguments {
  readonly seeds: readonly number[]
  readonly faultsMs: number
  readonly isTraced: boolean
  readonly plant?: MemberPlantName
  /** Processes that run seeds. */
  readonly jobs: number
}

/** Throws a RangeError or TypeError that says what is wrong with the flags. */
export function parseArguments(args: readonly string[]): MainArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      member: { type: 'boolean' },
      seeds: { type: 'string' },
      seed: { type: 'string' },
      'faults-ms': { type: 'string' },
      plant: { type: 'string' },
      jobs: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const shared = {
    faultsMs: wholeNumber('--faults-ms', values['faults-ms'], faultsMsDefault),
    isTraced: values.trace,
    ...(values.plant === undefined ? {} : { plant: plantName(values.plant) }),
    jobs: wholeNumber('--jobs', values.jobs, availableParallelism()),
  }
  if (values.seed !== undefined) return { seeds: [wholeNumber('--seed', values.seed)], ...shared }
  const count = wholeNumber('--seeds', values.seeds, seedsDefault)
  return { seeds: Array.from({ length: count }, (_, i) => i + 1), ...shared }
}

function plantName(name: string): MemberPlantName {
  if (isMemberPlantName(name)) return name
  throw new RangeError(`--plant takes one of ${memberPlantNames.join(', ')}, not '${name}'`)
}

function wholeNumber(flag: string, text: string | undefined, otherwise?: number): number {
  if (text === undefined && otherwise !== undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${flag} takes a whole number above 0, not '${text}'`)
}
