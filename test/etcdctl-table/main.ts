// npm run compat:etcdctl -- [plain] [tls] [auth]: every verb and flag of etcdctl 3.4 against real etcd and against Balsa; prints where they differ, and the table.
import { missing } from '../tools.ts'
import { modes } from './command-line.ts'
import type { Mode } from './command-line.ts'
import { faults, runTable } from './run-table.ts'
import type { Outcome } from './run-table.ts'
import { tableText } from './table-text.ts'

const asked = process.argv.slice(2)
if (missing('etcd', 'etcdctl')) process.exit(1)
const results = new Map<Mode, readonly Outcome[]>()
for (const mode of modes) {
  if (asked.length > 0 && !asked.includes(mode)) continue
  const outcomes = await runTable(mode)
  results.set(mode, outcomes)
  for (const fault of faults(outcomes)) {
    process.exitCode = 1
    process.stdout.write(`${mode}: ${fault}\n`)
  }
  for (const { asked: line, otherwise } of outcomes) {
    if (otherwise !== undefined) process.stdout.write(`${mode}: ${line}: ${otherwise}\n`)
  }
}
process.stdout.write(`${tableText(results)}\n`)
