// npm run compat -- [--ops N] [--seed S] [--seeds N] [--jobs N] [--without METHOD,...]: seeded streams of requests to real etcd and to Balsa. Replies, errors, events of
// watches and HashKV must be equal; where they are not, the shortest stream that shows it is printed.
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { missing } from '../tools.ts'
import type { Operation } from './operation.ts'
import { drawOperations } from './operations.ts'
import { startPair } from './pair.ts'
import { Run, type Difference } from './run-operations.ts'
import { shrink } from './shrink.ts'
import { stricterWhere } from './stricter.ts'

const opsDefault = 20_000
const jobsDefault = 2
const shrinkMs = 180_000
const progressMs = 5_000
const shownMax = 60

interface Attempted {
  readonly difference: Difference | undefined
  readonly granted: number
  readonly refused: number
}

async function attempt(operations: Iterable<Operation>, count?: number): Promise<Attempted> {
  await using pair = await startPair()
  const run = new Run(pair.servers)
  const timer =
    count === undefined || !process.stderr.isTTY
      ? undefined
      : setInterval(() => process.stderr.write(`\r${run.done} of ${count}`), progressMs)
  try {
    const difference = await run.all(operations)
    return { difference, granted: run.granted, refused: run.refused }
  } finally {
    clearInterval(timer)
    if (timer !== undefined) process.stderr.write('\r')
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function print(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) => {
    const bytes = each as { type?: string; data?: readonly number[] } | undefined
    return bytes?.type === 'Buffer' ? Buffer.from(bytes.data ?? []).toString('latin1') : each
  })
}

async function runSeed(seed: number, count: number, without: readonly string[]): Promise<boolean> {
  const startedAt = performance.now()
  const draw = (): Generator<Operation> => drawOperations({ seed, count, without })
  const { difference, granted, refused } = await attempt(draw(), count)
  const seconds = (performance.now() - startedAt) / 1000
  const done = difference === undefined ? count : difference.index
  const speed = `${seconds.toFixed(0)} s, ${(done / seconds).toFixed(0)} a second`
  if (difference === undefined) {
    say(
      `seed ${seed}: ${count} operations, no difference; ${granted} done, ${refused} refused by Balsa alone (${speed})`,
    )
    return true
  }
  say(`seed ${seed}: DIFFERENCE at operation ${difference.index + 1} (${speed})`)
  const again = async (some: readonly Operation[]): Promise<Difference | undefined> =>
    (await attempt(some)).difference
  const shrunk = await shrink([...draw()], difference, again, shrinkMs)
  const { operations } = shrunk
  say(`${operations.length} operations show it${operations.length > shownMax ? '; the last' : ''}:`)
  for (const operation of operations.slice(-shownMax)) say(`  ${print(operation)}`)
  for (const [name, seen] of Object.entries(shrunk.difference.seen)) {
    say(`${name.padEnd(6)} ${print(seen)}`)
  }
  say(
    `again  npm run compat -- --seed ${seed} --ops ${count}${without.length > 0 ? ` --without ${without.join(',')}` : ''}`,
  )
  return false
}

/** In a process of its own; what it says comes in one piece. */
async function runSeedApart(seed: number, count: number, without: string): Promise<boolean> {
  const [, program = ''] = process.argv
  const flags = ['--seed', String(seed), '--ops', String(count), '--without', without]
  const child = spawn(process.execPath, [...process.execArgv, program, ...flags, '--apart'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = (): void => void child.kill('SIGTERM')
  process.once('exit', kill)
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  process.off('exit', kill)
  process.stdout.write(said)
  return code === 0
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`--${flag} takes a whole number above 0, not '${text}'`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: String(opsDefault) },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(jobsDefault) },
      without: { type: 'string', default: '' },
      apart: { type: 'boolean', default: false },
    },
  })
  if (missing('etcd')) return 1
  const count = wholeNumber('ops', values.ops)
  const first = wholeNumber('seed', values.seed)
  const seeds = wholeNumber('seeds', values.seeds)
  const jobs = Math.min(wholeNumber('jobs', values.jobs), seeds)
  const without = values.without.split(',').filter((method) => method !== '')
  if (values.apart) return (await runSeed(first, count, without)) ? 0 : 1
  for (const line of stricterWhere) say(`not compared: ${line}`)
  let next = first
  let good = 0
  const work = async (): Promise<void> => {
    while (next < first + seeds) if (await runSeedApart(next++, count, values.without)) good++
  }
  await Promise.all(Array.from({ length: jobs }, work))
  say(`${good} of ${seeds} seeds of ${count} operations without a difference`)
  return good === seeds ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
try {
  process.exitCode = await main()
} catch (reason) {
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`)
  process.exitCode = 1
}
