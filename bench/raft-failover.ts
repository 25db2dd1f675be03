// How long writing stops when a leader goes: asked to hand over, closed in order, and killed with SIGKILL; three members in three processes,
// loopback sockets, real files, default timing (election timeout 1 s). One writer on each member never stops writing.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeId } from '@balsa/raft'
import { freePorts } from '../test/free-ports.ts'
import { now, type Answers, type Order } from './raft-failover-orders.ts'

const ids = ['a', 'b', 'c'] as NodeId[]
const transfers = 20
const closes = 5
const kills = 20
/** Between two events, so that the cluster is calm. */
const pauseMs = 400

class MemberProcess {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (answer: unknown) => void>()
  #asked = 0

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'raft-failover-member.mjs'), {
      execArgv: ['--conditions=source'],
    })
    this.#process.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
  }

  ask<Type extends Order['type']>(order: Extract<Order, { type: Type }>): Promise<Answers[Type]> {
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#waiting.set(id, (answer) => {
        resolve(answer as Answers[Type])
      })
      this.#process.send({ id, order })
    })
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

class Cluster {
  readonly members = new Map<NodeId, MemberProcess>()
  readonly #folder: string
  readonly #ports: Readonly<Record<NodeId, number>>

  constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder
    this.#ports = Object.fromEntries(ids.map((id, i) => [id, ports[i] ?? 0]))
  }

  async start(id: NodeId): Promise<void> {
    const directory = join(this.#folder, id)
    mkdirSync(directory, { recursive: true })
    const member = new MemberProcess()
    this.members.set(id, member)
    await member.ask({ type: 'start', id, ports: this.#ports, directory })
  }

  async leader(): Promise<NodeId> {
    for (;;) {
      for (const [id, member] of this.members) {
        if (await member.ask({ type: 'lead' })) return id
      }
      await sleep(20)
    }
  }

  member(id: NodeId): MemberProcess {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`member ${id} is not there`)
    return member
  }

  /** Every member writes again. */
  async calm(): Promise<void> {
    const since = now()
    for (const member of this.members.values()) await member.ask({ type: 'acked', since })
    await sleep(pauseMs)
  }

  killAll(): void {
    for (const member of this.members.values()) member.kill()
  }
}

export async function raftFailover(): Promise<void> {
  console.log(
    'raft-failover: three members in three processes, loopback sockets, real files, election timeout 1 s, a writer on each',
  )
  const folder = mkdtempSync(join(tmpdir(), 'balsa-raft-failover-'))
  const cluster = new Cluster(folder, await freePorts(ids.length))
  try {
    for (const id of ids) await cluster.start(id)
    const handed = await repeat(transfers, () => handOver(cluster))
    report('leadership transferred', handed)
    report('leader closed', await repeat(closes, () => closeLeader(cluster)))
    report('leader killed (SIGKILL)', await repeat(kills, () => killLeader(cluster)))
  } finally {
    cluster.killAll()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Outcome {
  /** Without a committed write. */
  readonly gapMs: number
  /** Writes that were refused or lost. */
  readonly failed: number
}

async function handOver(cluster: Cluster): Promise<Outcome> {
  await cluster.calm()
  const from = now()
  await cluster.member(await cluster.leader()).ask({ type: 'transfer' })
  await sleep(pauseMs)
  return await longestGap(cluster, from)
}

async function closeLeader(cluster: Cluster): Promise<Outcome> {
  await cluster.calm()
  const id = await cluster.leader()
  const from = now()
  const leader = cluster.member(id)
  const failed = await leader.ask({ type: 'close' })
  cluster.members.delete(id)
  leader.kill()
  await sleep(pauseMs)
  const outcome = await longestGap(cluster, from)
  await cluster.start(id)
  return { ...outcome, failed: outcome.failed + failed }
}

async function longestGap(cluster: Cluster, since: number): Promise<Outcome> {
  let gapMs = 0
  let failed = 0
  for (const member of cluster.members.values()) {
    const seen = await member.ask({ type: 'gap', since })
    gapMs = Math.max(gapMs, seen.gapMs)
    failed += seen.failed
  }
  return { gapMs, failed }
}

/** To the first commit of a write that began after the kill. */
async function killLeader(cluster: Cluster): Promise<Outcome> {
  await cluster.calm()
  const id = await cluster.leader()
  const leader = cluster.member(id)
  cluster.members.delete(id)
  leader.kill()
  const since = now()
  const survivors = [...cluster.members.values()]
  const ackedAt = await Promise.race(
    survivors.map((member) => member.ask({ type: 'acked', since })),
  )
  const { failed } = await longestGap(cluster, since)
  await cluster.start(id)
  return { gapMs: ackedAt - since, failed }
}

async function repeat(count: number, run: () => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let i = 0; i < count; i++) outcomes.push(await run())
  return outcomes
}

function report(what: string, outcomes: readonly Outcome[]): void {
  const gaps = outcomes.map(({ gapMs }) => gapMs).sort((a, b) => a - b)
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0)
  const at = (part: number): string => (gaps[Math.floor((gaps.length - 1) * part)] ?? 0).toFixed(0)
  console.log(
    `  ${what} ${outcomes.length} times: writing stopped for ${at(0.5)} ms (median; least ${at(0)}, most ${at(1)}), ${failed} writes failed`,
  )
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
