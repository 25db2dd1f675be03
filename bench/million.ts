// A million keys of 256 B in one member of each kind: resident memory, bytes on disk, time from a kill -9 to the first answer, and the
// latency of puts while the member defragments. Values are noise: compression gains nothing on them.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Generator } from './load/generator.ts'
import type { LoadPlan, LoadResult } from './load/load-plan.ts'
import { startCluster, type MemberCluster, type ServerKind } from './servers.ts'
import { tools } from '../test/tools.ts'

const keyCount = Number(process.env['MILLION_KEYS'] ?? 1_000_000)
const valueSizeBytes = 256
/** Until what the load left behind (collections, background writes) has settled. */
const settleMs = 10_000
const defragmentLoadMs = 4000
const pollMs = 5

interface Answers {
  putsPerSecond: number
  residentMb: number
  diskMb: number
  restartMs: number
  residentAfterRestartMb: number
  p99BeforeMs: number
  p99DuringMs: number
  /** Puts refused while it defragmented. */
  failedDuring: number
}

export async function million(): Promise<void> {
  console.log(`million: ${keyCount} keys of ${valueSizeBytes} B in one member, each kind in turn`)
  const kinds: ServerKind[] = tools.etcd === undefined ? ['balsa'] : ['balsa', 'etcd']
  const answers: Partial<Record<ServerKind, Answers>> = {}
  const load = new Generator()
  try {
    for (const kind of kinds) {
      answers[kind] = await ask(kind, load)
      process.stderr.write(`${kind}: ${JSON.stringify(answers[kind])}\n`)
    }
  } finally {
    await load.close()
  }
  print(answers)
}

async function ask(kind: ServerKind, load: Generator): Promise<Answers> {
  // Both hold it all: neither is stopped by its quota.
  await using cluster = await startCluster(kind, 1, { 'quota-backend-bytes': String(8 * 2 ** 30) })
  const [url = ''] = cluster.urls
  const filled = await load.run({
    ...puts(url, 0, keyCount),
    connections: 100,
    inFlight: 1000,
    durationMs: 1_200_000,
  })
  checked(filled, keyCount)
  await delay(settleMs)
  const residentMb = residentOf(cluster)
  const { header } = (await post(url, 'kv/range', { key: 'AA==' })) as {
    header: { revision: string }
  }
  await post(url, 'kv/compaction', { revision: header.revision, physical: true })
  await post(url, 'maintenance/defragment', {})
  await delay(settleMs)
  const diskMb = sizeOf(cluster.dataDir(0)) / 2 ** 20
  const restartMs = await restart(cluster, url)
  await delay(settleMs)
  const residentAfterRestartMb = residentOf(cluster)
  const defragmented = await defragmentUnderLoad(url, load)
  const putsPerSecond = filled.perSecond
  return {
    putsPerSecond,
    residentMb,
    diskMb,
    restartMs,
    residentAfterRestartMb,
    ...defragmented,
  }
}

function puts(url: string, firstKey: number, count: number): LoadPlan {
  return {
    wire: 'grpc',
    operation: 'put',
    url,
    connections: 16,
    inFlight: 16,
    count,
    durationMs: defragmentLoadMs,
    keyPrefix: 'bench/million/',
    keyCount: count,
    firstKey,
    valueSizeBytes,
    noise: true,
  }
}

function checked(result: LoadResult, count: number): void {
  const failed = Object.entries(result.failures)
  if (failed.length > 0) throw new Error(`puts failed: ${JSON.stringify(failed)}`)
  if (result.count < count) throw new Error(`only ${result.count} of ${count} keys were put`)
}

/** Milliseconds from the start of the process to the first linearizable read it answers. */
async function restart(cluster: MemberCluster, url: string): Promise<number> {
  await cluster.kill(0)
  const startedAt = performance.now()
  cluster.start(0)
  const key = Buffer.from('bench/million/0000000007').toString('base64')
  for (;;) {
    const answer = await post(url, 'kv/range', { key }).catch(() => undefined)
    if (answer !== undefined && 'count' in answer) return performance.now() - startedAt
    await delay(pollMs)
  }
}

async function defragmentUnderLoad(
  url: string,
  load: Generator,
): Promise<Pick<Answers, 'p99BeforeMs' | 'p99DuringMs' | 'failedDuring'>> {
  // Overwrites, so that there is something to take away; the first round is a warm-up.
  await load.run(puts(url, 0, keyCount))
  const before = await load.run(puts(url, 0, keyCount))
  const ended = new AbortController()
  const defragment = async (): Promise<void> => {
    while (!ended.signal.aborted) await post(url, 'maintenance/defragment', {})
  }
  const defragmenting = defragment()
  const during = await load.run(puts(url, 0, keyCount))
  ended.abort()
  await defragmenting
  checked(before, 0)
  const failedDuring = Object.values(during.failures).reduce((sum, count) => sum + count, 0)
  return { p99BeforeMs: before.p99Ms, p99DuringMs: during.p99Ms, failedDuring }
}

async function post(url: string, path: string, body: unknown): Promise<object> {
  const response = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) })
  const answer: unknown = await response.json()
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  return answer as object
}

function residentOf(cluster: MemberCluster): number {
  const status = readFileSync(`/proc/${cluster.pid(0)}/status`, 'utf8')
  const [, kb = '0'] = /VmRSS:\s+(\d+) kB/.exec(status) ?? []
  return Number(kb) / 1024
}

/** Blocks in use, as du counts them: a file's tail that was only reserved does not count. */
function sizeOf(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.blocks * 512
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

function print({ balsa, etcd }: Partial<Record<ServerKind, Answers>>): void {
  const line = (text: string, read: (answers: Answers) => number, digits = 0): void => {
    const cells = [balsa, etcd].map((one) => (one === undefined ? '' : read(one).toFixed(digits)))
    const ratio =
      balsa === undefined || etcd === undefined ? '' : (read(balsa) / read(etcd)).toFixed(2)
    console.log(
      [text.padEnd(42), ...cells.map((cell) => cell.padStart(10)), ratio.padStart(14)].join(''),
    )
  }
  const head = ['balsa', 'etcd'].map((name) => name.padStart(10)).join('')
  console.log(`\n${''.padEnd(42)}${head}  balsa / etcd`)
  line('puts/s while filling, 1000 in flight', (one) => one.putsPerSecond)
  line('resident memory after filling, MB', (one) => one.residentMb)
  line('on disk after compaction and defragment, MB', (one) => one.diskMb)
  line('kill -9 to the first answer, ms', (one) => one.restartMs)
  line('resident memory after the restart, MB', (one) => one.residentAfterRestartMb)
  line('p99 of puts before defragment, ms', (one) => one.p99BeforeMs, 2)
  line('p99 of puts while it defragments, ms', (one) => one.p99DuringMs, 2)
  line('puts that failed while it defragments', (one) => one.failedDuring)
  line('p99 during / before', (one) => one.p99DuringMs / one.p99BeforeMs, 2)
}
