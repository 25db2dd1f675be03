// Who talks to whom, settled before a peer connection exists: headers of the HTTP upgrade name protocol version, cluster, generation, sender
// and receiver. What does not fit is refused with a code and a sentence that both sides report.
import type { IncomingMessage } from 'node:http'
import type { NodeId } from '../core/types.ts'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import { protocolVersion } from './codec.ts'

export const messagesPath = '/raft/messages'
export const snapshotPath = '/raft/snapshot'

const names = {
  protocol: 'balsa-protocol',
  cluster: 'balsa-cluster',
  generation: 'balsa-generation',
  from: 'balsa-from',
  to: 'balsa-to',
} as const

/** Names the code of a refusal in the answer. */
export const refusalHeader = 'balsa-refused'

export interface Identity {
  readonly id: NodeId
  readonly clusterId: string
  /** Of the cluster; undefined for a member that joins and fits to any. Left out: 0. */
  readonly generation?: () => number | undefined
}

/** In place of the generation of a member that has no log yet. */
const anyGeneration = 'any'

function generationOf({ generation }: Identity): number | undefined {
  return generation === undefined ? 0 : generation()
}

export function handshakeHeaders(identity: Identity, to: NodeId): Record<string, string> {
  const { id, clusterId } = identity
  return {
    [names.protocol]: String(protocolVersion),
    [names.cluster]: encodeURIComponent(clusterId),
    [names.generation]: String(generationOf(identity) ?? anyGeneration),
    [names.from]: id,
    [names.to]: to,
  }
}

export interface Sender {
  readonly from: NodeId
  /** Undefined: it has no log, and joins. */
  readonly generation: number | undefined
}

/** The sender, or why it is refused. */
export function checkHandshake(request: IncomingMessage, identity: Identity): Sender | RaftError {
  const { id, clusterId } = identity
  const header = (name: string): string => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }
  const from = header(names.from)
  if (!/^[\x21-\x7e]{1,64}$/.test(from)) {
    return new RaftError('CLUSTER_MISMATCH', 'The peer did not say who it is')
  }
  const version = header(names.protocol)
  if (version !== String(protocolVersion)) {
    const text = `Member ${from} speaks protocol ${version}, member ${id} speaks ${protocolVersion}`
    return new RaftError('VERSION_MISMATCH', text)
  }
  if (header(names.cluster) !== encodeURIComponent(clusterId)) {
    const text = `Member ${from} belongs to cluster ${header(names.cluster)}, member ${id} to ${encodeURIComponent(clusterId)}`
    return new RaftError('CLUSTER_MISMATCH', text)
  }
  const to = header(names.to)
  if (to !== id) {
    return new RaftError('CLUSTER_MISMATCH', `Member ${from} looks for ${to}, this is member ${id}`)
  }
  if (from === id) {
    return new RaftError('CLUSTER_MISMATCH', `Another member calls itself ${id} too`)
  }
  const generation = parseGeneration(header(names.generation))
  const refusal = checkGeneration(from, generation, identity)
  return refusal ?? { from: from as NodeId, generation }
}

/** Members of before there were generations say nothing: 0. */
function parseGeneration(text: string): number | undefined {
  if (text === anyGeneration) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

function checkGeneration(
  from: string,
  generation: number | undefined,
  identity: Identity,
): RaftError | undefined {
  const own = generationOf(identity)
  if (own === undefined || generation === undefined || own === generation) return undefined
  const old = generation < own ? from : identity.id
  const text =
    `Member ${old} belongs to the cluster as it was before it was recovered from the loss of its quorum ` +
    `(generation ${Math.min(own, generation)}, now ${Math.max(own, generation)}): stop it, move its data away, and add it as a new member`
  return new RaftError('OLD_GENERATION', text)
}

/** The error that a refused sender reports. */
export function refusalOf(response: IncomingMessage, to: NodeId, body: string): RaftError {
  const code = response.headers[refusalHeader]
  const known: RaftErrorCode[] = [
    'VERSION_MISMATCH',
    'CLUSTER_MISMATCH',
    'OLD_GENERATION',
    'OVERLOADED',
    'CLOSED',
  ]
  const found = known.find((item) => item === code)
  if (found !== undefined) return new RaftError(found, body.trim())
  const text = `The server at the address of member ${to} answered ${response.statusCode ?? 0}, it is no member`
  return new RaftError('CLUSTER_MISMATCH', text)
}
