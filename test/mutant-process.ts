// Builds a copy of the raft package with one wrong change in it, and lets its simulator look for the mistake in a process of its own.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Edit, Mutant } from './mutants.ts'

const source = fileURLToPath(new URL('../packages/raft/src', import.meta.url))
const loader = new URL('../node_modules/tsx/dist/loader.mjs', import.meta.url).href

export interface MutantOutcome {
  /** Undefined if every seed passed. */
  readonly killedBySeed: number | undefined
  readonly output: string
}

/** Runs the seed that noticed it last, then seeds 1 to `seeds` until one does. */
export async function runMutant(mutant: Mutant, seeds: number): Promise<MutantOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-mutant-'))
  try {
    await cp(source, join(directory, 'src'), { recursive: true })
    await writeFile(join(directory, 'package.json'), '{"type":"module"}')
    for (const edit of mutant.edits) await applyEdit(join(directory, 'src', edit.file), edit)
    const main = join(directory, 'src/simulation/main.ts')
    const first = await simulate(main, ['--seed', String(mutant.seed)])
    if (first.killedBySeed !== undefined) return first
    return await simulate(main, ['--seeds', String(seeds)])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function applyEdit(path: string, { find, replace }: Edit): Promise<void> {
  const text = await readFile(path, 'utf8')
  const [before, after, ...rest] = text.split(find)
  if (before === undefined || after === undefined || rest.length > 0) {
    throw new Error(`${path} does not hold exactly once: ${find}`)
  }
  await writeFile(path, before + replace + after)
}

function simulate(main: string, flags: readonly string[]): Promise<MutantOutcome> {
  const args = ['--import', loader, main, ...flags]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (_, stdout, stderr) => {
      const seed = /VIOLATION {2}seed (\d+)/.exec(stdout)?.[1]
      const killedBySeed = seed === undefined ? undefined : Number(seed)
      resolve({ killedBySeed, output: stdout + stderr })
    })
  })
}
