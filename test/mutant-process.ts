// Builds a copy of a package with one wrong change in it, and lets its simulator look for the mistake in a process of its own.
import { fork } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SeedMessage, SeedsRequest } from './mutant-worker.ts'
import type { Edit, MutatedPackage, Mutant } from './mutant.ts'

const sourceOf = (name: MutatedPackage): string =>
  fileURLToPath(new URL(`../packages/${name}/src`, import.meta.url))
const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const worker = fileURLToPath(new URL('./mutant-worker.ts', import.meta.url))
const loader = new URL('../node_modules/tsx/dist/loader.mjs', import.meta.url).href

/** A seed of the right code takes far less than a second: one that takes this long never ends. */
const seedTimeoutMs = 60_000
/** Mistakes of the mutant itself, which no simulator has to find. */
const brokenPattern = /\b(?:SyntaxError|ReferenceError|ERR_MODULE_NOT_FOUND)\b/

export interface MutantOutcome {
  /** Undefined if every seed passed. */
  readonly killedBySeed: number | undefined
  /** What the simulator said, in one line. */
  readonly notice: string
}

/** Runs the code with `edits` under each of the seeds until one of them notices something. */
export async function runMutant(
  { edits, package: name = 'raft' }: Pick<Mutant, 'edits' | 'package'>,
  seeds: readonly number[],
): Promise<MutantOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-mutant-'))
  try {
    await cp(sourceOf(name), join(directory, 'src'), { recursive: true })
    await writeFile(join(directory, 'package.json'), '{"type":"module"}')
    await symlink(modules, join(directory, 'node_modules'), 'dir')
    for (const edit of edits) await applyEdit(join(directory, 'src', edit.file), edit)
    return await runSeeds({ directory, seeds })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The text without what is not there any more, or is there more than once. */
export async function findEdit(
  { file, find }: Edit,
  name: MutatedPackage = 'raft',
): Promise<number> {
  const text = await readFile(join(sourceOf(name), file), 'utf8')
  return text.split(find).length - 1
}

async function applyEdit(path: string, { find, replace }: Edit): Promise<void> {
  const text = await readFile(path, 'utf8')
  const [before, after, ...rest] = text.split(find)
  if (before === undefined || after === undefined || rest.length > 0) {
    throw new Error(`${path} does not hold exactly once: ${find}`)
  }
  await writeFile(path, before + replace + after)
}

function runSeeds(request: SeedsRequest): Promise<MutantOutcome> {
  const child = fork(worker, [], {
    execArgv: ['--import', loader],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-10_000)
  })
  return new Promise((resolve, reject) => {
    let seed: number | undefined
    let timer = setTimeout(() => {}, 0)
    const end = (outcome: MutantOutcome): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      if (brokenPattern.test(outcome.notice))
        reject(new Error(`The mutant is broken: ${outcome.notice}`))
      else resolve(outcome)
    }
    const watch = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        end({ killedBySeed: seed, notice: 'the run does not end' })
      }, seedTimeoutMs)
    }
    child.on('message', (message: SeedMessage) => {
      watch()
      if (message.type === 'begin') seed = message.seed
      else if (message.type === 'violation')
        end({ killedBySeed: message.seed, notice: message.text })
      else end({ killedBySeed: undefined, notice: 'nothing' })
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      clearTimeout(timer)
      if (seed === undefined) reject(new Error(`The mutant does not even start: ${errors}`))
      else
        end({ killedBySeed: seed, notice: `the process ended with ${code}: ${lastLine(errors)}` })
    })
    child.send(request)
    watch()
  })
}

function lastLine(text: string): string {
  return /^\S*Error.*$/m.exec(text)?.[0] ?? text.trim().split('\n').at(-1) ?? ''
}
