// How long writing stops when the leader of `balsa up --members 3` dies: 16 writers, 20,000 keys, three kills with SIGKILL, and whether everything is there afterwards.
import { runFailover } from './failover-run.ts'
import { startUpCluster } from './up-cluster.ts'

export async function failover(): Promise<void> {
  console.log(
    'failover: balsa up --members 3, 16 writers, 20,000 keys, the leader killed with SIGKILL three times',
  )
  await using cluster = await startUpCluster()
  const startedAt = performance.now()
  const result = await runFailover(cluster, {
    keys: 20_000,
    kills: 3,
    writers: 16,
    downMs: 500,
    onKill: (gapMs) =>
      console.log(`  killed the leader: writing went on after ${gapMs.toFixed(0)} ms`),
  })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`  ${result.acknowledged} keys acknowledged in ${seconds} s`)
  console.log(`  missing on each member: ${result.missing.join(', ')}`)
  console.log(`  HashKV of each member: ${result.hashes.join(', ')}`)
  const isWhole = result.missing.every((count) => count === 0) && new Set(result.hashes).size === 1
  console.log(isWhole ? '  everything is there, on every member' : '  DATA IS MISSING OR DIFFERS')
  if (!isWhole) process.exitCode = 1
}
