// The simulator must be able to find what it looks for: every wrong change is noticed by a seed that the right code passes. Here each by the one
// that noticed it last; the whole table is `npm run simulate -- --mutants`.
import { describe, expect, test } from 'vitest'
import { mutantSeedsMax } from './mutant.ts'
import { kvMutants } from './mutants-kv.ts'
import { mutants as raftMutants } from './mutants.ts'
import { findEdit, runMutant } from './mutant-process.ts'

const mutants = [...raftMutants, ...kvMutants]

/** A second or two each; more only when the code has changed so much that another seed has to be found. */
const timeoutMs = 300_000

test.each(mutants)('the text that "$name" changes is there once', async (mutant) => {
  for (const edit of mutant.edits) {
    expect(await findEdit(edit, mutant.package), `${edit.file}: ${edit.find}`).toBe(1)
  }
})

test('mutants have names of their own and seeds of the table', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  for (const { seed, name } of mutants) expect(seed, name).toBeLessThanOrEqual(mutantSeedsMax)
})

describe('the simulator notices that', () => {
  test.each(mutants)(
    '$name',
    async (mutant) => {
      const others = Array.from({ length: mutantSeedsMax }, (_, i) => i + 1)
      const { killedBySeed, notice } = await runMutant(mutant, [mutant.seed, ...others])
      expect(killedBySeed, notice).toBeDefined()
    },
    timeoutMs,
  )
})
