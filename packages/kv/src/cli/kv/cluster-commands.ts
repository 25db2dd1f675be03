// endpoint status, health and hashkv.
import type { Command } from 'commander'
import type { Kv, KvStatus } from '../../kv.ts'
import { endpointsOf, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { printJson, printLine } from './kv-output.ts'
import type { JsonObject } from './kv-output.ts'
import { sizeText } from '../moving/size-text.ts'

export function registerClusterCommands(kv: Command): void {
  const endpoint = kv.command('endpoint').description('the servers given by --endpoints')
  const each = (
    name: string,
    description: string,
    show: (client: Kv, endpoints: readonly string[], isJson: boolean) => Promise<void>,
  ): void => {
    endpoint
      .command(name)
      .description(description)
      .action((_own: object, command: Command) => {
        const globals = command.optsWithGlobals<KvGlobals>()
        const isJson = globals.writeOut === 'json'
        return withKv(globals, (client) => show(client, endpointsOf(globals), isJson))
      })
  }
  each('status', 'version, size, leader and log position of each', status)
  each('health', 'whether each can serve a read that a quorum confirms', health)
  each('hashkv', 'the hash of all keys and revisions of each; equal on all members', hashKv)
}

async function status(kv: Kv, endpoints: readonly string[], isJson: boolean): Promise<void> {
  const found: JsonObject[] = []
  for (const endpoint of endpoints) {
    const one = await kv.status({ endpoint })
    if (isJson) found.push({ Endpoint: endpoint, Status: statusJson(one) })
    else printLine(statusLine(endpoint, one))
  }
  if (isJson) printJson(found)
}

function statusJson(status: KvStatus): JsonObject {
  const { memberId, revision, raftTerm, version, dbSizeBytes, leader, raftIndex } = status
  const header = { member_id: memberId, revision, raft_term: raftTerm }
  return { header, version, dbSize: dbSizeBytes, leader, raftIndex, raftTerm }
}

function statusLine(endpoint: string, status: KvStatus): string {
  const isLeader = status.leader === status.memberId
  const id = status.memberId.toString(16)
  const size = sizeText(status.dbSizeBytes)
  const log = [isLeader, false, status.raftTerm, status.raftIndex]
  return [endpoint, id, status.version, size, ...log].join(', ')
}

async function health(kv: Kv, endpoints: readonly string[], isJson: boolean): Promise<void> {
  const found: JsonObject[] = []
  let isHealthy = true
  for (const endpoint of endpoints) {
    const start = performance.now()
    const error = await failureOf(kv, endpoint)
    const took = `${(performance.now() - start).toFixed(3)}ms`
    isHealthy &&= error === undefined
    if (isJson) found.push({ endpoint, health: error === undefined, took, error })
    else if (error === undefined) {
      printLine(`${endpoint} is healthy: successfully committed proposal: took = ${took}`)
    } else printLine(`${endpoint} is unhealthy: failed to commit proposal: ${error}`)
  }
  if (isJson) printJson(found)
  if (!isHealthy) throw new Error('unhealthy cluster')
}

/** Asks the member itself, and through it a quorum. */
async function failureOf(kv: Kv, endpoint: string): Promise<string | undefined> {
  try {
    const { leader } = await kv.status({ endpoint })
    if (leader === 0n) return 'etcdserver: no leader'
    await kv.get('health')
    return undefined
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason)
  }
}

async function hashKv(kv: Kv, endpoints: readonly string[], isJson: boolean): Promise<void> {
  const found: JsonObject[] = []
  for (const endpoint of endpoints) {
    const { hash, compactRevision, revision } = await kv.hashKv({ endpoint })
    const HashKV = { header: { revision }, hash, compact_revision: compactRevision }
    if (isJson) found.push({ Endpoint: endpoint, HashKV })
    else printLine(`${endpoint}, ${hash}`)
  }
  if (isJson) printJson(found)
}
