// Who talks to whom, settled before a peer connection exists: headers of the HTTP upgrade name protocol version, cluster, sender and
// receiver. What does not fit is refused with a code and a sentence that both sides report.
import type { IncomingMessage } from 'node:http'
import type { NodeId } from '../core/types.ts'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import { protocolVersion } from './codec.ts'

export const messagesPath = '/raft/messages'
export const snapshotPath = '/raft/snapshot'

const names = {
  protocol: 'balsa-protocol',
  cluster: 'balsa-cluster',
  from: 'balsa-from',
  to: 'balsa-to',
} as const

/** Names the code of a refusal in the answer. */
export const refusalHeader = 'balsa-refused'

export interface Identity {
  readonly id: NodeId
  readonly clusterId: string
}

export function handshakeHeaders({ id, clusterId }: Identity, to: NodeId): Record<string, string> {
  return {
    [names.protocol]: String(protocolVersion),
    [names.cluster]: encodeURIComponent(clusterId),
    [names.from]: id,
    [names.to]: to,
  }
}

/** The sender, or why it is refused. */
export function checkHandshake(
  request: IncomingMessage,
  { id, clusterId }: Identity,
): NodeId | RaftError {
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
  return from as NodeId
}

/** The error that a refused sender reports. */
export function refusalOf(response: IncomingMessage, to: NodeId, body: string): RaftError {
  const code = response.headers[refusalHeader]
  const known: RaftErrorCode[] = ['VERSION_MISMATCH', 'CLUSTER_MISMATCH', 'OVERLOADED', 'CLOSED']
  const found = known.find((item) => item === code)
  if (found !== undefined) return new RaftError(found, body.trim())
  const text = `The server at the address of member ${to} answered ${response.statusCode ?? 0}, it is no member`
  return new RaftError('CLUSTER_MISMATCH', text)
}
