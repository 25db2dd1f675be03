// npm run bench -- [NAME...] [--vs etcd] [--json FILE]: asks the questions of this folder and prints the answers as one table.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { tools } from '../test/tools.ts'
import { controlPlaneLarge } from './control-plane-large.ts'
import { controlPlane } from './control-plane.ts'
import { failover } from './failover.ts'
import { generator } from './generator-check.ts'
import { Generator } from './load/generator.ts'
import { micro } from './micro.ts'
import { million } from './million.ts'
import { native } from './native.ts'
import { put } from './put.ts'
import type { Question, Row } from './question.ts'
import { raftCore } from './raft-core.ts'
import { raftFailover } from './raft-failover.ts'
import { raftPut } from './raft-put.ts'
import { raftWal } from './raft-wal.ts'
import { range } from './range.ts'
import { reportText } from './report.ts'
import { startCluster } from './servers.ts'
import type { Cluster, ServerKind } from './servers.ts'
import { watch } from './watch.ts'

const questions: readonly Question[] = [put, range, watch, native, generator]
/** Asked only by name: they print answers of their own. */
const others: Readonly<Record<string, () => Promise<void>>> = {
  'control-plane': controlPlane,
  'control-plane-large': controlPlaneLarge,
  failover,
  million,
  micro,
  'raft-core': raftCore,
  'raft-put': raftPut,
  'raft-failover': raftFailover,
  'raft-wal': raftWal,
}

const usage = `usage: npm run bench -- [NAME...] [--vs etcd] [--seconds N] [--pairs N] [--members 1,3] [--json FILE]
names: ${[...questions.map(({ name }) => name), ...Object.keys(others)].join(', ')}; without a name: ${questions.map(({ name }) => name).join(', ')}`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      vs: { type: 'string' },
      json: { type: 'string' },
      seconds: { type: 'string', default: '2' },
      pairs: { type: 'string', default: '2' },
      members: { type: 'string', default: '1,3' },
    },
  })
  const unknown = positionals.find(
    (name) => others[name] === undefined && !questions.some((one) => one.name === name),
  )
  if (unknown !== undefined) throw new Error(`unknown benchmark '${unknown}'\n${usage}`)
  if (values.vs !== undefined && values.vs !== 'etcd')
    throw new Error(`--vs takes etcd, not '${values.vs}'`)
  if (values.vs === 'etcd' && tools.etcd === undefined)
    throw new Error('--vs etcd needs etcd: run scripts/install-tools.sh')
  for (const name of positionals) await others[name]?.()
  const asked = questions.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  )
  if (asked.length === 0) return
  const kinds: readonly ServerKind[] = values.vs === 'etcd' ? ['balsa', 'etcd'] : ['balsa']
  const durationMs = Number(values.seconds) * 1000
  const rows: Row[] = []
  const load = new Generator()
  try {
    for (const members of values.members.split(',').map(Number)) {
      const forSize = asked.filter((question) => question.members.includes(members))
      if (forSize.length > 0)
        rows.push(
          ...(await ask(forSize, kinds, load, {
            members,
            durationMs,
            pairs: Number(values.pairs),
          })),
        )
    }
  } finally {
    await load.close()
  }
  console.log(`\n${reportText(rows)}\n`)
  console.log('Ratios of one run on one machine; see bench/README.md for how to read them.')
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ node: process.version, rows }, undefined, 2)}\n`)
}

async function ask(
  asked: readonly Question[],
  kinds: readonly ServerKind[],
  load: Generator,
  options: { readonly members: number; readonly durationMs: number; readonly pairs: number },
): Promise<Row[]> {
  const clusters: Cluster[] = []
  const rows: Row[] = []
  try {
    for (const kind of kinds) clusters.push(await startCluster(kind, options.members))
    for (const cluster of clusters) await warmUp(cluster, load)
    for (const question of asked) {
      process.stderr.write(`${question.name}, ${options.members} member(s)\n`)
      rows.push(...(await question.run({ ...options, generator: load, clusters })))
    }
  } finally {
    for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
  }
  return rows
}

/** Code that runs for the first time is slow in one of the two; that is not what is asked. */
async function warmUp(cluster: Cluster, load: Generator): Promise<void> {
  await load.run({
    wire: 'grpc',
    operation: 'put',
    url: await cluster.leaderUrl(),
    connections: 100,
    inFlight: 1000,
    count: 20_000,
    durationMs: 2000,
    keyPrefix: 'bench/warm-up/',
    keyCount: 20_000,
    firstKey: 0,
    valueSizeBytes: 256,
  })
}

main().catch((reason: unknown) => {
  console.error(reason instanceof Error ? reason.message : reason)
  process.exitCode = 1
})
