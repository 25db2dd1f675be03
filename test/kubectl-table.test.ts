// That every listed command line is in the table and its output checked; and the areas of the kubectl table that go between clients and
// programs that run, with both versions; `npm run compat:kubectl` runs all.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { areas } from './kubectl-table/commands/index.ts'
import { runTable } from './kubectl-table/run-table.ts'
import { missing, tools } from './tools.ts'

const faults = async (
  client: 'old' | 'new',
  kubectl: string | undefined,
  only: readonly string[],
): Promise<string[]> => {
  const outcomes = await runTable(client, kubectl ?? '', { only })
  return outcomes.flatMap(({ line, fault }) => (fault === undefined ? [] : [`${line}: ${fault}`]))
}

const commands = Object.values(areas)
  .flat()
  .filter(({ isPreparation = false }) => !isPreparation)

test('every listed command line is in the table', () => {
  const listed = readFileSync(new URL('kubectl-table/listed.txt', import.meta.url), 'utf8')
  const lines = new Set(commands.map(({ line }) => line))
  expect(listed.trim().split('\n')).toHaveLength(189)
  expect(
    listed
      .trim()
      .split('\n')
      .filter((line) => !lines.has(line)),
  ).toEqual([])
})

test('of every command line something that it prints is checked, and a failure has its reason', () => {
  const expectations = commands.flatMap(({ line, old, ...command }) => [
    { line, ...command },
    ...(old === undefined ? [] : [{ line, ...old }]),
  ])
  const blind = expectations.filter(({ out, err }) => out === undefined && err === undefined)
  expect(blind.map(({ line }) => line)).toEqual([])
  const cutShort = 124
  const unexplained = expectations.filter(
    ({ line, code = 0, refused }) =>
      code !== 0 && code !== cutShort && refused === undefined && !line.startsWith('K diff'),
  )
  expect(unexplained.map(({ line }) => line)).toEqual([])
})

describe.skipIf(missing('kubectl', 'kubectl120'))('the table of command lines', () => {
  test('streams and nodes with the newest kubectl are as listed', async () => {
    expect(await faults('new', tools.kubectl, ['streams', 'nodes'])).toEqual([])
  }, 180_000)

  test('streams and nodes with kubectl 1.20.2 are as listed', async () => {
    expect(await faults('old', tools.kubectl120, ['streams', 'nodes'])).toEqual([])
  }, 180_000)
})
