// A question a benchmark answers, and how its answer is measured: Balsa and its rival in turn, several times, the median counts.
import type { Generator } from './load/generator.ts'
import type { LoadPlan, LoadResult, WatchPlan } from './load/load-plan.ts'
import type { Cluster, ServerKind } from './servers.ts'

export interface Row {
  readonly question: string
  readonly members: number
  readonly unit: string
  /** Every run, in order, by server. */
  readonly runs: Readonly<Partial<Record<ServerKind, readonly LoadResult[]>>>
}

export interface Bench {
  readonly generator: Generator
  readonly clusters: readonly Cluster[]
  readonly members: number
  readonly durationMs: number
  /** Balsa and etcd in turn, so many times. */
  readonly pairs: number
}

export interface Question {
  readonly name: string
  /** Cluster sizes it is asked for. */
  readonly members: readonly number[]
  run(bench: Bench): Promise<readonly Row[]>
}

/** A fresh server answers its first few thousand requests with code that is not compiled yet; one in use has that behind it. */
const warmUpMs = 3000
const warmUpRequests = 6000
const warmUpMsMax = 20_000

/**
 * Measures one plan on every cluster in turn, after a warm-up run that does not count. `plan` is asked before each run, so that keys
 * can differ.
 */
export async function measure(
  bench: Bench,
  question: string,
  unit: string,
  plan: (cluster: Cluster, url: string, run: number) => LoadPlan | WatchPlan | undefined,
): Promise<Row> {
  const runs: Partial<Record<ServerKind, LoadResult[]>> = {}
  for (let run = -1; run < bench.pairs; run++) {
    for (const cluster of bench.clusters) {
      const made = plan(cluster, await cluster.leaderUrl(), Math.max(run, 0))
      if (made === undefined) continue
      if (run < 0) {
        if (made.wire === 'watch') continue
        const { count } = await bench.generator.run({ ...made, durationMs: warmUpMs })
        const more = plan(cluster, await cluster.leaderUrl(), 0)
        if (count < warmUpRequests && more !== undefined && more.wire !== 'watch') {
          const rest = { count: warmUpRequests - count, durationMs: warmUpMsMax }
          await bench.generator.run({ ...more, ...rest })
        }
        continue
      }
      const results = (runs[cluster.kind] ??= [])
      results.push(await bench.generator.run(made))
    }
  }
  return { question, members: bench.members, unit, runs }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
