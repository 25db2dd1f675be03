// endpoint status, health and hashkv: names, flags and output are etcdctl's.
import type { Command } from 'commander'
import type { Kv, KvStatus } from '../../kv.ts'
import { printHeaderFields } from './auth-output.ts'
import { endpointsOf, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { printJson, printLine } from './kv-output.ts'
import type { JsonObject } from './kv-output.ts'
import { sizeText } from '../moving/size-text.ts'
import { textTable } from './text-table.ts'

/** What one endpoint answered, in each form that may be asked for. */
interface Shown {
  readonly line: string
  readonly cells: readonly string[]
  readonly json: JsonObject
  /** Of whom the answer is. */
  readonly header?: KvStatus
  readonly fields: readonly (readonly [name: string, value: string])[]
}

interface EndpointVerb {
  readonly name: string
  readonly description: string
  readonly headings: readonly string[]
  show(kv: Kv, endpoint: string): Promise<Shown>
  /** After all were shown. */
  end?(): void
}

export function registerClusterCommands(kv: Command): void {
  const endpoint = kv.command('endpoint').description('the servers given by --endpoints')
  endpoint.option('--cluster', 'all members of the cluster instead')
  for (const verb of [status, health(), hashKv]) {
    endpoint
      .command(verb.name)
      .description(verb.description)
      .action((_own: object, command: Command) => {
        const globals = command.optsWithGlobals<KvGlobals & { readonly cluster?: boolean }>()
        return withKv(globals, async (client) => {
          const isCluster = globals.cluster === true
          const endpoints = isCluster ? await clientUrlsOf(client) : endpointsOf(globals)
          await run(verb, client, endpoints, globals.writeOut)
        })
      })
  }
}

async function clientUrlsOf(kv: Kv): Promise<readonly string[]> {
  return (await kv.members()).flatMap(({ clientUrls }) => clientUrls)
}

async function run(
  verb: EndpointVerb,
  kv: Kv,
  endpoints: readonly string[],
  format: string,
): Promise<void> {
  const all: Shown[] = []
  for (const endpoint of endpoints) {
    const shown = await verb.show(kv, endpoint)
    all.push(shown)
    if (format === 'simple') printLine(shown.line)
    else if (format === 'fields') printFields(shown)
  }
  if (format === 'json') printJson(all.map(({ json }) => json))
  const cells = all.map((shown) => shown.cells)
  if (format === 'table') printLine(textTable(verb.headings, cells))
  verb.end?.()
}

function printFields({ header, fields }: Shown): void {
  if (header !== undefined) printHeaderFields(header)
  for (const [name, value] of fields) printLine(`"${name}" : ${value}`)
  printLine('')
}

function headerJson({ clusterId, memberId, revision, raftTerm }: KvStatus): JsonObject {
  return { cluster_id: clusterId, member_id: memberId, revision, raft_term: raftTerm }
}

const status: EndpointVerb = {
  name: 'status',
  description: 'version, size, leader and log position of each',
  headings: [
    'ENDPOINT',
    'ID',
    'VERSION',
    'DB SIZE',
    'IS LEADER',
    'IS LEARNER',
    'RAFT TERM',
    'RAFT INDEX',
    'RAFT APPLIED INDEX',
    'ERRORS',
  ],
  async show(kv, endpoint) {
    const found = await kv.status({ endpoint })
    const cells = statusCells(endpoint, found)
    const json = { Endpoint: endpoint, Status: statusJson(found) }
    const fields = statusFields(endpoint, found)
    return { line: cells.join(', '), cells, json, header: found, fields }
  },
}

function statusCells(endpoint: string, found: KvStatus): string[] {
  const { memberId, version, leader, isLearner, raftTerm, raftIndex, raftAppliedIndex } = found
  const place = [leader === memberId, isLearner, raftTerm, raftIndex, raftAppliedIndex].map(String)
  const size = sizeText(found.dbSizeBytes)
  return [endpoint, memberId.toString(16), version, size, ...place, found.errors.join(', ')]
}

/** Zeros are left out, as protobuf's JSON does. */
function statusJson(found: KvStatus): JsonObject {
  return {
    header: headerJson(found),
    version: found.version,
    dbSize: found.dbSizeBytes,
    leader: found.leader || undefined,
    raftIndex: found.raftIndex,
    raftTerm: found.raftTerm,
    raftAppliedIndex: found.raftAppliedIndex,
    errors: found.errors.length === 0 ? undefined : found.errors,
    dbSizeInUse: found.dbSizeInUseBytes,
    isLearner: found.isLearner || undefined,
  }
}

function statusFields(endpoint: string, found: KvStatus): [string, string][] {
  return [
    ['Version', JSON.stringify(found.version)],
    ['DBSize', String(found.dbSizeBytes)],
    ['Leader', String(found.leader)],
    ['IsLearner', String(found.isLearner)],
    ['RaftIndex', String(found.raftIndex)],
    ['RaftTerm', String(found.raftTerm)],
    ['RaftAppliedIndex', String(found.raftAppliedIndex)],
    ['Errors', `[${found.errors.join(' ')}]`],
    ['Endpoint', JSON.stringify(endpoint)],
  ]
}

function health(): EndpointVerb {
  let isHealthy = true
  return {
    name: 'health',
    description: 'whether each can serve a read that a quorum confirms',
    headings: ['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'],
    async show(kv, endpoint) {
      const start = performance.now()
      const error = await failureOf(kv, endpoint)
      const took = `${(performance.now() - start).toFixed(3)}ms`
      const isWell = error === undefined
      isHealthy &&= isWell
      return {
        line: isWell
          ? `${endpoint} is healthy: successfully committed proposal: took = ${took}`
          : `${endpoint} is unhealthy: failed to commit proposal: ${error}`,
        cells: [endpoint, String(isWell), took, error ?? ''],
        json: { endpoint, health: isWell, took, error },
        fields: [
          ['Endpoint', JSON.stringify(endpoint)],
          ['Health', String(isWell)],
          ['Took', took],
          ['Error', error ?? ''],
        ],
      }
    },
    end() {
      if (!isHealthy) throw new Error('unhealthy cluster')
    },
  }
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

const hashKv: EndpointVerb = {
  name: 'hashkv',
  description: 'the hash of all keys and revisions of each; equal on all members',
  headings: ['ENDPOINT', 'HASH'],
  async show(kv, endpoint) {
    const { hash, compactRevision, revision } = await kv.hashKv({ endpoint })
    const header = { ...(await kv.status({ endpoint })), revision }
    const HashKV = { header: headerJson(header), hash, compact_revision: compactRevision }
    return {
      line: `${endpoint}, ${hash}`,
      cells: [endpoint, String(hash)],
      json: { Endpoint: endpoint, HashKV },
      header,
      fields: [
        ['Endpoint', JSON.stringify(endpoint)],
        ['Hash', String(hash)],
      ],
    }
  },
}
