import { expect, test } from 'vitest'
import { runFailover } from '../bench/failover-run.ts'
import { startCluster, type Cluster } from '../bench/servers.ts'
import { startUpCluster } from '../bench/up-cluster.ts'

const clusters: Record<string, () => Promise<Cluster>> = {
  'three balsa member': () => startCluster('balsa', 3),
  'balsa up --members 3, which starts the dead again': startUpCluster,
}

for (const [name, open] of Object.entries(clusters)) {
  test(`${name}: no acknowledged key is lost on any member when the leader is killed twice under 16 writers`, async () => {
    await using cluster = await open()
    const plan = { keys: 4000, kills: 2, writers: 16, downMs: 300 }
    const result = await runFailover(cluster, plan)
    expect(result.acknowledged).toBeGreaterThanOrEqual(4000)
    expect(result.gapsMs).toHaveLength(2)
    expect(result.missing).toEqual([0, 0, 0])
    expect(new Set(result.hashes).size).toBe(1)
  }, 120_000)
}
