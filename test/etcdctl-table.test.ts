// Every verb and flag of Debian's etcdctl, plain, behind TLS and with permissions on, against real etcd and against Balsa: both must
// make it print the same, but for ids, times and sizes. `npm run compat:etcdctl` prints the same table without vitest.
import { afterAll, describe, expect, test } from 'vitest'
import { commandLine, flagsOf, modes, verbOf } from './etcdctl-table/command-line.ts'
import type { Mode } from './etcdctl-table/command-line.ts'
import { entries } from './etcdctl-table/commands.ts'
import { etcdctlFlags, etcdctlVerbs } from './etcdctl-table/etcdctl-help.ts'
import { faults, runTable } from './etcdctl-table/run-table.ts'
import type { Outcome } from './etcdctl-table/run-table.ts'
import { tableText } from './etcdctl-table/table-text.ts'
import { missing } from './tools.ts'

const modeTimeoutMs = 240_000

describe.skipIf(missing('etcd', 'etcdctl'))('the verbs of etcdctl 3.4', () => {
  const results = new Map<Mode, readonly Outcome[]>()
  afterAll(() => void process.stdout.write(`${tableText(results)}\n`))

  test('all of them are in the list, with all their flags', async () => {
    const verbs = await etcdctlVerbs()
    const lines = entries.map((entry) => commandLine(entry).line)
    const known = new Map(verbs.map((verb) => [verb, new Set<string>()]))
    for (const line of lines) {
      for (const flag of flagsOf(line)) known.get(verbOf(line, verbs))?.add(flag)
    }
    expect(verbs.length).toBeGreaterThan(50)
    const listed = new Set(lines.map((line) => verbOf(line, verbs)))
    expect(verbs.filter((verb) => !listed.has(verb))).toEqual([])
    for (const verb of verbs) {
      const missed = (await etcdctlFlags(verb)).filter((flag) => !known.get(verb)?.has(flag))
      expect(missed, verb).toEqual([])
    }
    const anywhere = new Set([...known.values()].flatMap((flags) => [...flags]))
    expect((await etcdctlFlags()).filter((flag) => !anywhere.has(flag))).toEqual([])
  })

  test.each(modes)(
    'print the same of etcd and of Balsa, %s',
    async (mode) => {
      const outcomes = await runTable(mode)
      results.set(mode, outcomes)
      expect(outcomes.length).toBeGreaterThan(250)
      expect(faults(outcomes)).toEqual([])
    },
    modeTimeoutMs,
  )
})
