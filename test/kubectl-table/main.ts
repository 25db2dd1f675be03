// npm run compat:kubectl -- [AREA...]: every listed command line with kubectl 1.20.2 and with the newest; prints faults, the table, and
// what is refused by rule.
import { missing, tools } from '../tools.ts'
import { runTable, type Client, type Outcome } from './run-table.ts'
import { faultsOf, refusedText, tableText } from './table-text.ts'

if (missing('kubectl', 'kubectl120')) process.exit(1)
const only = process.argv.slice(2)
const results = new Map<Client, readonly Outcome[]>()
const clients: [Client, string][] = [
  ['old', tools.kubectl120 ?? ''],
  ['new', tools.kubectl ?? ''],
]
for (const [client, kubectl] of clients) {
  const startedAt = performance.now()
  results.set(client, await runTable(client, kubectl, { only }))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  process.stdout.write(`${client === 'old' ? '1.20.2' : 'newest'}: ${seconds} s\n`)
}
const faults = faultsOf(results)
process.stdout.write(`${[...faults, tableText(results), refusedText(results)].join('\n')}\n`)
process.stdout.write(`${faults.length} faults\n`)
process.exit(faults.length === 0 ? 0 : 1)
