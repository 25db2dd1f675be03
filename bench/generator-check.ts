// Is our generator as fast as h2load? Both put the same body (h2load can send only one) on the same server.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { putRequestOf } from '../packages/kv/src/client/convert.ts'
import { encodePutRequest } from '../packages/kv/src/proto/index.ts'
import { tools } from '../test/tools.ts'
import { keyOf, valueOf } from './load/load-plan.ts'
import type { LoadResult } from './load/load-plan.ts'
import { measure } from './question.ts'
import type { Bench, Question, Row } from './question.ts'

const key = { keyPrefix: 'bench/one/', keyCount: 1, firstKey: 0, valueSizeBytes: 256 }
const load = { connections: 100, inFlight: 1000 }

export const generator: Question = {
  name: 'generator',
  members: [1],
  run: async (bench) => {
    const ours = await measure(
      bench,
      'put of one key, our generator',
      'puts/s',
      (_cluster, url) => ({
        ...key,
        ...load,
        wire: 'grpc',
        operation: 'put',
        url,
        count: 10_000_000,
        durationMs: bench.durationMs,
      }),
    )
    return tools.h2load === undefined ? [ours] : [ours, await byH2load(bench, tools.h2load)]
  },
}

async function byH2load(bench: Bench, h2load: string): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-h2load-'))
  const body = join(directory, 'body')
  const request = encodePutRequest(putRequestOf(keyOf(key, 0), valueOf('', key.valueSizeBytes)))
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(request.length, 1)
  writeFileSync(body, Buffer.concat([prefix, request]))
  const runs: Partial<Record<'balsa' | 'etcd', LoadResult[]>> = {}
  try {
    for (let run = 0; run < bench.pairs; run++) {
      for (const cluster of bench.clusters) {
        const url = `${await cluster.leaderUrl()}/etcdserverpb.KV/Put`
        const seconds = Math.max(1, Math.round(bench.durationMs / 1000))
        const argv = ['-D', `${seconds}`, '-c', `${load.connections}`, '-m', '10', '-d', body]
        const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
        const { stdout } = await promisify(execFile)(h2load, [...argv, ...headers, url])
        const results = (runs[cluster.kind] ??= [])
        results.push(parseH2load(stdout))
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return { question: 'put of one key, h2load', members: bench.members, unit: 'puts/s', runs }
}

function parseH2load(text: string): LoadResult {
  const perSecond = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(text)?.[1] ?? 0)
  const count = Number(/(\d+) succeeded/.exec(text)?.[1] ?? 0)
  const failed = Number(/(\d+) failed/.exec(text)?.[1] ?? 0)
  const times = /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/.exec(text)
  const unit = { us: 0.001, ms: 1, s: 1000 }[times?.[2] ?? 'ms'] ?? 1
  const meanMs = Number(times?.[1] ?? 0) * unit
  return { count, perSecond, meanMs, p50Ms: 0, p99Ms: 0, failures: failed > 0 ? { failed } : {} }
}
