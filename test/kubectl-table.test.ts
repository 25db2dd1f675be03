// The areas of the kubectl table that go between clients and programs that run, with both versions; `npm run compat:kubectl` runs all.
import { describe, expect, test } from 'vitest'
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

describe.skipIf(missing('kubectl', 'kubectl120'))('the table of command lines', () => {
  test('streams and nodes with the newest kubectl are as listed', async () => {
    expect(await faults('new', tools.kubectl, ['streams', 'nodes'])).toEqual([])
  }, 180_000)

  test('streams and nodes with kubectl 1.20.2 are as listed', async () => {
    expect(await faults('old', tools.kubectl120, ['streams', 'nodes'])).toEqual([])
  }, 180_000)
})
