// Writers put keys while the leader is killed with SIGKILL and started again. What was acknowledged must be on every member, and all members equal.
import { connect } from '../packages/kv/src/client/index.ts'
import type { Kv } from '../packages/kv/src/client/index.ts'
import type { Cluster } from './servers.ts'

export interface FailoverPlan {
  /** At least so many; writing goes on until the last kill is over. */
  readonly keys: number
  readonly kills: number
  readonly writers: number
  /** How long a killed member stays away. */
  readonly downMs: number
  onKill?(gapMs: number): void
}

export interface FailoverResult {
  readonly acknowledged: number
  /** Between each kill and the next acknowledged put. */
  readonly gapsMs: readonly number[]
  /** Acknowledged keys that a member does not have with their value, by member. */
  readonly missing: readonly number[]
  /** HashKV of each member at the same revision. */
  readonly hashes: readonly number[]
}

const prefix = 'failover/'
const catchUpTimeoutMs = 30_000

export async function runFailover(cluster: Cluster, plan: FailoverPlan): Promise<FailoverResult> {
  const acknowledged = new Set<string>()
  const gapsMs: number[] = []
  let lastAckAt = performance.now()
  let started = 0
  await using kv = await connect({
    endpoints: cluster.urls,
    retryWrites: true,
    requestTimeoutMs: 30_000,
  })
  const write = async (): Promise<void> => {
    while (started < plan.keys || gapsMs.length < plan.kills) {
      const key = `${prefix}${started++}`
      await kv.put(key, `value of ${key}`)
      acknowledged.add(key)
      lastAckAt = performance.now()
    }
  }
  const writing = Promise.all(Array.from({ length: plan.writers }, write))
  const killing = async (): Promise<void> => {
    for (let kill = 1; kill <= plan.kills; kill++) {
      const due = Math.floor((plan.keys * kill) / (plan.kills + 1))
      await until(() => acknowledged.size >= due)
      const gapMs = await killLeader(cluster, plan.downMs, () => lastAckAt)
      gapsMs.push(gapMs)
      plan.onKill?.(gapMs)
    }
  }
  await Promise.all([writing, killing()])
  return { acknowledged: acknowledged.size, gapsMs, ...(await compare(cluster, acknowledged)) }
}

/** Returns the time from the kill to the next acknowledged put. */
async function killLeader(
  cluster: Cluster,
  downMs: number,
  lastAckAt: () => number,
): Promise<number> {
  const index = cluster.urls.indexOf(await cluster.leaderUrl())
  await cluster.kill(index)
  const killedAt = performance.now()
  // Answers that were on their way when it died do not count.
  await sleep(20)
  const before = lastAckAt()
  await until(() => lastAckAt() > Math.max(before, killedAt))
  const gapMs = lastAckAt() - killedAt
  await sleep(downMs)
  cluster.start(index)
  return gapMs
}

async function compare(
  cluster: Cluster,
  acknowledged: ReadonlySet<string>,
): Promise<Pick<FailoverResult, 'missing' | 'hashes'>> {
  const clients: Kv[] = []
  try {
    for (const url of cluster.urls)
      clients.push(await connect({ endpoints: url, connectTimeoutMs: 20_000 }))
    const revisions = await Promise.all(
      clients.map(async (kv) => (await kv.range({ prefix, countOnly: true })).revision),
    )
    const revision = Math.max(...revisions)
    const missing: number[] = []
    const hashes: number[] = []
    for (const [i, kv] of clients.entries()) {
      const endpoint = cluster.urls[i] ?? ''
      await untilAsync(async () => (await kv.status({ endpoint })).revision >= revision)
      const { pairs } = await kv.range({ prefix, serializable: true })
      const held = new Map(pairs.map(({ key, value }) => [text(key), text(value)]))
      const lost = [...acknowledged].filter((key) => held.get(key) !== `value of ${key}`)
      missing.push(lost.length)
      hashes.push((await kv.hashKv({ endpoint, revision })).hash)
    }
    return { missing, hashes }
  } finally {
    await Promise.all(clients.map((kv) => kv.close()))
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

function until(isDone: () => boolean): Promise<void> {
  return untilAsync(() => Promise.resolve(isDone()))
}

async function untilAsync(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + catchUpTimeoutMs
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error('the cluster did not come back')
    await sleep(5)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
