// npm run compat -- [--ops N] [--seed S] [--seeds N] [--without METHOD,...]: one seeded stream of requests to real etcd and to Balsa. Replies, errors, events of watches and
// HashKV must be equal; where they are not, the shortest stream that shows it is printed.
import { parseArgs } from 'node:util'
import { missing } from '../tools.ts'
import type { Operation } from './operation.ts'
import { drawOperations } from './operations.ts'
import { startPair } from './pair.ts'
import { Run, type Difference } from './run-operations.ts'
import { shrink } from './shrink.ts'

const opsDefault = 20_000
const shrinkMs = 120_000
const progressMs = 5_000

async function attempt(
  operations: Iterable<Operation>,
  count?: number,
): Promise<Difference | undefined> {
  await using pair = await startPair()
  const run = new Run(pair.servers)
  const timer =
    count === undefined || !process.stderr.isTTY
      ? undefined
      : setInterval(() => process.stderr.write(`\r${run.done} of ${count}`), progressMs)
  try {
    return await run.all(operations)
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
  const difference = await attempt(drawOperations({ seed, count, without }), count)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  if (difference === undefined) {
    say(`seed ${seed}: ${count} operations, no difference (${seconds} s)`)
    return true
  }
  say(`seed ${seed}: DIFFERENCE at operation ${difference.index + 1} (${seconds} s)`)
  const operations = [...drawOperations({ seed, count, without })]
  const shrunk = await shrink(operations, difference, attempt, shrinkMs)
  say(`${shrunk.operations.length} operations show it:`)
  for (const operation of shrunk.operations) say(`  ${print(operation)}`)
  for (const [name, seen] of Object.entries(shrunk.difference.seen)) {
    say(`${name.padEnd(6)} ${print(seen)}`)
  }
  say(
    `again  npm run compat -- --seed ${seed} --ops ${count}${without.length > 0 ? ` --without ${without.join(',')}` : ''}`,
  )
  return false
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
      seed: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      without: { type: 'string', default: '' },
    },
  })
  if (missing('etcd')) return 1
  const count = wholeNumber('ops', values.ops)
  const first = values.seed === undefined ? 1 : wholeNumber('seed', values.seed)
  const seeds = wholeNumber('seeds', values.seeds)
  const without = values.without.split(',').filter((method) => method !== '')
  let failed = 0
  for (let i = 0; i < seeds; i++) if (!(await runSeed(first + i, count, without))) failed++
  say(`${seeds - failed} of ${seeds} seeds without a difference`)
  return failed === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (reason) {
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`)
  process.exitCode = 1
}
