// `npm run simulate -- [--member] --mutants [--jobs J] [--only TEXT] [--seeds N]`: every mutant of the zoo under the seeds 1 to 900, and the right code under the
// same. Prints which seed killed each and what noticed it. Exit code 1 if one survives, or if the right code fails.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runMutant, type MutantOutcome } from './mutant-process.ts'
import { mutantSeedsMax, type MutatedPackage, type Mutant } from './mutant.ts'
import { kvMutants } from './mutants-kv.ts'
import { mutants } from './mutants.ts'

const noticeColumnsMax = 90

interface Row {
  readonly mutant: Mutant
  readonly outcome: MutantOutcome
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Seed, then the property or assertion that noticed it. */
function shorten(notice: string): string {
  const text = notice.replace(/^Seed \d+, step (\d+): (?:Violation: )?/, '').split('\n')[0] ?? ''
  return text.length > noticeColumnsMax ? `${text.slice(0, noticeColumnsMax - 1)}…` : text
}

function printRow({ mutant, outcome }: Row): void {
  const { name, kind, edits, seed } = mutant
  const killed = outcome.killedBySeed
  const shown = killed === undefined ? 'SURVIVED' : killed === seed ? `${killed} *` : String(killed)
  const file = [...new Set(edits.map((edit) => edit.file))].join(', ')
  print(
    `${shown.padStart(8)}  ${kind.padEnd(10)}  ${name}\n${''.padStart(22)}${file}: ${shorten(outcome.notice)}`,
  )
}

async function inParallel<T>(
  items: readonly T[],
  jobs: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: jobs }, worker))
}

/** Whether the code as it is passes all seeds. */
async function checkRightCode(
  name: MutatedPackage,
  seeds: readonly number[],
  jobs: number,
): Promise<boolean> {
  const size = Math.ceil(seeds.length / jobs)
  const parts = Array.from({ length: jobs }, (_, i) => seeds.slice(i * size, (i + 1) * size))
  let isRight = true
  await inParallel(parts, jobs, async (part) => {
    const { killedBySeed, notice } = await runMutant({ edits: [], package: name }, part)
    if (killedBySeed === undefined) return
    isRight = false
    print(`The code as it is fails under seed ${killedBySeed}: ${notice}`)
  })
  if (isRight) print(`The code as it is passes the seeds 1 to ${seeds.length}`)
  return isRight
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${flag} takes a whole number above 0, not '${text}'`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'boolean' },
      member: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(availableParallelism()) },
      only: { type: 'string', default: '' },
      seeds: { type: 'string', default: String(mutantSeedsMax) },
    },
  })
  const jobs = wholeNumber('--jobs', values.jobs)
  const seedCount = wholeNumber('--seeds', values.seeds)
  const seeds = Array.from({ length: seedCount }, (_, i) => i + 1)
  const zoo = values.member ? kvMutants : mutants
  const chosen = zoo.filter(({ name }) => name.includes(values.only))
  const survivors: Mutant[] = []
  print(`${chosen.length} mutants, seeds 1 to ${seedCount} (* tried first: it killed it before)\n`)
  await inParallel(chosen, jobs, async (mutant) => {
    const outcome = await runMutant(mutant, [mutant.seed, ...seeds])
    if (outcome.killedBySeed === undefined) survivors.push(mutant)
    printRow({ mutant, outcome })
  })
  print(`\n${chosen.length - survivors.length} of ${chosen.length} mutants killed`)
  for (const { name } of survivors) print(`SURVIVED: ${name}`)
  const isRight = await checkRightCode(values.member ? 'kv' : 'raft', seeds, jobs)
  return isRight && survivors.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
