// `npm run simulate` as a process: what it prints is a function of the seeds and the code, however many threads and whatever order they run in.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { digestOf, plantNames } from '@balsa/raft/simulation'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../packages/raft/dist/simulation/main.js', import.meta.url))

/** What is printed, without how long it took. */
async function simulate(...flags: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...flags], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout.replace(/, \d+ hours an hour/, '')
}

const traceHashOf = (output: string): string | undefined =>
  /^trace hash +([0-9a-f]{16})/m.exec(output)?.[1]

test('many seeds on two processes print what they print on one', async () => {
  const [onOne, onTwo] = await Promise.all([
    simulate('--seeds', '12', '--jobs', '1', '--ticks', '100'),
    simulate('--seeds', '12', '--jobs', '2', '--ticks', '100'),
  ])
  expect(traceHashOf(onOne)).toBeDefined()
  expect(onTwo).toBe(onOne)
})

test('one seed has the same trace hash with its trace printed and without, in another process', async () => {
  const [silent, traced] = await Promise.all([
    simulate('--seed', '9', '--ticks', '100'),
    simulate('--seed', '9', '--ticks', '100', '--trace'),
  ])
  expect(traceHashOf(silent)).toBeDefined()
  expect(traceHashOf(traced)).toBe(traceHashOf(silent))
  expect(traced.length).toBeGreaterThan(silent.length)
})

test('seeds that run one after another do what each does alone, in another order and another process', async () => {
  const seeds = [3, 2, 1]
  const alone: { seed: number; traceHash: string }[] = []
  for (const seed of seeds) {
    const output = await simulate('--seed', String(seed), '--ticks', '100')
    alone.unshift({ seed, traceHash: traceHashOf(output) ?? '' })
  }
  const together = await simulate('--seeds', '3', '--jobs', '1', '--ticks', '100')
  expect(traceHashOf(together)).toBe(digestOf(alone))
})

test.each(plantNames)(
  'a planted %s is told with its first bad step and a command that replays it',
  async (plant) => {
    const found = await violation('--seeds', '30', '--plant', plant)
    const flags = /^again +npm run simulate -- (.+)$/m.exec(found)?.[1]
    const again = await violation(...(flags ?? '').split(' '))
    const told = /^VIOLATION +seed \d+, step \d+\n.*\ntrace hash +[0-9a-f]{16}$/m
    expect(told.exec(found)?.[0]).toBeDefined()
    expect(told.exec(again)?.[0]).toBe(told.exec(found)?.[0])
  },
)

/** What is printed by a run that ends with a violation. */
async function violation(...flags: readonly string[]): Promise<string> {
  const options = { maxBuffer: 64 * 1024 * 1024 }
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, [main, ...flags], options, (error, stdout) => {
      if (error?.code === 1) resolve(stdout)
      else reject(new Error(`no violation:\n${stdout}`, { cause: error }))
    })
  })
}
