// The simulator must be able to find what it looks for: every wrong change is noticed within the seeds that the right code passes.
import { afterAll, expect, test } from 'vitest'
import { runMutant } from './mutant-process.ts'
import { mutants } from './mutants.ts'

const seedsMax = 1000
/** A few seconds each; more only when the code has changed so much that another seed has to be found. */
const timeoutMs = 300_000

const killedBy: string[] = []

afterAll(() => {
  process.stdout.write(`${killedBy.sort().join('\n')}\n`)
})

test.each(mutants)(
  'the simulator notices that $name',
  async (mutant) => {
    const { killedBySeed, output } = await runMutant(mutant, seedsMax)
    killedBy.push(`seed ${String(killedBySeed).padStart(3)} notices that ${mutant.name}`)
    expect(killedBySeed, output.slice(-2000)).toBeDefined()
  },
  timeoutMs,
)
