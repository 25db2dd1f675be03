// How long one put takes on three members over loopback sockets with real files, beside one bare write + fdatasync on the same disk in the
// same run, and beside the same exchange without Raft.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeId } from '@balsa/raft'
import { freePorts } from '../test/free-ports.ts'
import { BareExchange } from './bare-exchange.ts'
import type { Latencies, Order } from './raft-put-member.ts'

const ids = ['a', 'b', 'c'] as NodeId[]
const warmUpPuts = 2_000
const putsPerRun = 3_000
const runs = 3
const exchangesPerRun = 1_000

export async function raftPut(): Promise<void> {
  console.log(
    'raft-put: three members in three processes, loopback sockets, real files, one put of 256 B in flight',
  )
  const folder = mkdtempSync(join(tmpdir(), 'balsa-raft-put-'))
  const members: ChildProcess[] = []
  let bare: BareExchange | undefined
  try {
    bare = await BareExchange.open(folder)
    const ports = await freePorts(ids.length)
    for (const id of ids) members.push(await startMember(id, folder, ports))
    const leader = await findLeader(members)
    await ask<Latencies>(leader, { type: 'put', count: warmUpPuts })
    const ratios: number[] = []
    const bareRatios: number[] = []
    for (let i = 0; i < runs; i++) {
      const { puts, syncs } = await ask<Latencies>(leader, { type: 'put', count: putsPerRun })
      const ratio = percentile(puts, 0.5) / percentile(syncs, 0.5)
      const exchanges: number[] = []
      for (let j = 0; j < exchangesPerRun; j++) exchanges.push(await bare.run())
      const bareRatio = percentile(exchanges, 0.5) / percentile(syncs, 0.5)
      ratios.push(ratio)
      bareRatios.push(bareRatio)
      console.log(
        `  put p50 ${text(puts, 0.5)} p99 ${text(puts, 0.99)}, bare sync p50 ${text(syncs, 0.5)} p99 ${text(syncs, 0.99)}: ${ratio.toFixed(2)} syncs; the exchange without Raft ${text(exchanges, 0.5)}: ${bareRatio.toFixed(2)} syncs`,
      )
    }
    console.log(
      `  median: one put takes ${percentile(ratios, 0.5).toFixed(2)} bare syncs, the exchange without Raft ${percentile(bareRatios, 0.5).toFixed(2)}`,
    )
  } finally {
    bare?.close()
    for (const member of members) member.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startMember(
  id: NodeId,
  folder: string,
  ports: readonly number[],
): Promise<ChildProcess> {
  const directory = join(folder, id)
  mkdirSync(directory)
  const member = fork(join(import.meta.dirname, 'raft-put-member.mjs'), {
    execArgv: ['--conditions=source'],
  })
  const addresses = Object.fromEntries(ids.map((each, i) => [each, ports[i] ?? 0]))
  await ask(member, { type: 'start', id, ports: addresses, directory })
  return member
}

function ask<Answer>(member: ChildProcess, order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => {
      reject(new Error('a member has ended'))
    }
    member.once('exit', onExit)
    member.once('message', (answer) => {
      member.off('exit', onExit)
      resolve(answer as Answer)
    })
    member.send(order)
  })
}

async function findLeader(members: readonly ChildProcess[]): Promise<ChildProcess> {
  for (;;) {
    for (const member of members) if (await ask<boolean>(member, { type: 'lead' })) return member
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN
}

function text(values: readonly number[], part: number): string {
  return `${percentile(values, part).toFixed(2)} ms`
}
