// What `npm run simulate` does, whatever is simulated: many seeds, or one again. Flags: [--seeds N] [--seed S] [--jobs J] [--trace]
// [--plant NAME], and one that says how long a run is.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { digestOf } from './run-report.ts'
import { runSeeds } from './seed-pool.ts'

const progressEvery = 100
const seedsDefault = 300

interface Report {
  readonly seed: number
  readonly steps: number
  readonly traceHash: string
}
interface Outcome<SomeReport extends Report> {
  readonly report: SomeReport
  readonly failure?: { readonly message: string; readonly trace: readonly string[] }
}

export interface SeedCommand<Request extends { readonly seed: number }, SomeReport extends Report> {
  /** What the user types before the flags. */
  readonly name: string
  /** Flags that are the name's own, and mean nothing here. */
  readonly ownFlags: readonly string[]
  /** The flag for the length of a run. */
  readonly lengthFlag: string
  readonly lengthDefault: number
  readonly plants: readonly string[]
  /** A module that, as a process of its own, runs seeds. */
  readonly worker: string
  /** Of the real world: how long it all took. */
  nowMs(): number
  requestOf(run: { seed: number; length: number; plant: string | undefined }): Request
  runSeed(
    request: Request & { readonly onTrace?: (line: string) => void },
  ): Promise<Outcome<SomeReport>>
  summarize(reports: readonly SomeReport[], realMs: number): string
}

interface Given {
  readonly seeds: readonly number[]
  readonly length: number
  readonly isTraced: boolean
  readonly plant: string | undefined
  /** Processes that run seeds. */
  readonly jobs: number
}

/** Resolves with the exit code: 1 at a violation, or if the flags are wrong. */
export async function runSeedCommand<
  Request extends { readonly seed: number },
  SomeReport extends Report,
>(command: SeedCommand<Request, SomeReport>, args: readonly string[]): Promise<number> {
  try {
    const given = parseArguments(command, args)
    const startedAt = command.nowMs()
    const outcomes = await run(command, given)
    const failed = outcomes.find(({ failure }) => failure !== undefined)
    if (failed !== undefined) {
      printFailure(command, failed, given)
      return 1
    }
    const reports = outcomes.map(({ report }) => report)
    print(command.summarize(reports, command.nowMs() - startedAt))
    print(`trace hash     ${digestOf(reports)}${reports.length === 1 ? '' : ' (of all)'}`)
    print('no violation')
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function run<Request extends { readonly seed: number }, SomeReport extends Report>(
  command: SeedCommand<Request, SomeReport>,
  { seeds, length, isTraced, jobs, plant }: Given,
): Promise<readonly Outcome<SomeReport>[]> {
  const requests = seeds.map((seed) => command.requestOf({ seed, length, plant }))
  const [only] = requests
  if (requests.length === 1 && only !== undefined) {
    return [await command.runSeed({ ...only, ...(isTraced ? { onTrace: print } : {}) })]
  }
  return await runSeeds<Request, Outcome<SomeReport>>({
    worker: command.worker,
    requests,
    jobs,
    onProgress: (doneCount) => {
      const isDue = doneCount % progressEvery === 0 && seeds.length > progressEvery
      if (isDue) print(`${doneCount} seeds`)
    },
  })
}

/** Shows what went wrong first, and how to see it again. */
function printFailure<Request extends { readonly seed: number }, SomeReport extends Report>(
  { name, lengthFlag, lengthDefault }: SeedCommand<Request, SomeReport>,
  { report, failure }: Outcome<SomeReport>,
  { length, plant }: Given,
): void {
  const plantFlag = plant === undefined ? '' : ` --plant ${plant}`
  const flags = (length === lengthDefault ? '' : ` --${lengthFlag} ${length}`) + plantFlag
  print(['', ...(failure?.trace ?? []), ''].join('\n'))
  print(`VIOLATION  seed ${report.seed}, step ${report.steps}`)
  print(`           ${failure?.message ?? ''}`)
  print(`trace hash ${report.traceHash}`)
  print(`again      ${name} --seed ${report.seed}${flags}`)
}

/** Throws a RangeError or TypeError that says what is wrong with the flags. */
function parseArguments(
  command: Pick<SeedCommand<never, never>, 'ownFlags' | 'lengthFlag' | 'lengthDefault' | 'plants'>,
  args: readonly string[],
): Given {
  const { ownFlags, lengthFlag, lengthDefault, plants } = command
  const text = { type: 'string' } as const
  const yes = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(ownFlags.map((flag) => [flag, yes])),
      seeds: text,
      seed: text,
      [lengthFlag]: text,
      plant: text,
      jobs: text,
      trace: yes,
    },
  })
  const given = (flag: string): string | undefined => {
    const value: unknown = values[flag]
    return typeof value === 'string' ? value : undefined
  }
  const plant = given('plant')
  if (plant !== undefined && !plants.includes(plant)) {
    throw new RangeError(`--plant takes one of ${plants.join(', ')}, not '${plant}'`)
  }
  const shared = {
    length: wholeNumber(`--${lengthFlag}`, given(lengthFlag), lengthDefault),
    isTraced: values['trace'] === true,
    plant,
    jobs: wholeNumber('--jobs', given('jobs'), availableParallelism()),
  }
  const seed = given('seed')
  if (seed !== undefined) return { seeds: [wholeNumber('--seed', seed, 1)], ...shared }
  const count = wholeNumber('--seeds', given('seeds'), seedsDefault)
  return { seeds: Array.from({ length: count }, (_, i) => i + 1), ...shared }
}

function wholeNumber(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${flag} takes a whole number above 0, not '${text}'`)
}
