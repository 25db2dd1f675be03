// Who talks to whom, settled before a peer connection exists: headers of the HTTP upgrade name protocol version, cluster, generation, sender
// and receiver. What does not fit is refused with a code and a sentence that both sides report.
import type { IncomingMessage } from 'node:http'
import type { NodeId } from '../core/types.ts'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import { refusalHeader } from './refusal.ts'
import { parseLane, type Lane } from './lanes.ts'
import {
  commonVersion,
  isKnown,
  protocolVersions,
  type ProtocolVersion,
  type VersionRange,
} from './protocol-version.ts'

export const messagesPath = '/raft/messages'
export const snapshotPath = '/raft/snapshot'

/** In a request the lowest version, and all that a version 1 peer looks at; in an answer the version of the connection, missing for 1. */
export const protocolHeader = 'balsa-protocol'

const names = {
  protocol: protocolHeader,
  /** Missing: the lowest is the highest. */
  protocolMax: 'balsa-protocol-max',
  cluster: 'balsa-cluster',
  generation: 'balsa-generation',
  /** Missing: the connection carries both lanes, or a snapshot. */
  lane: 'balsa-lane',
  from: 'balsa-from',
  to: 'balsa-to',
} as const

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

export function handshakeHeaders(
  identity: Identity,
  to: NodeId,
  lane?: Lane,
): Record<string, string> {
  const { id, clusterId } = identity
  return {
    [names.protocol]: String(protocolVersions.min),
    [names.protocolMax]: String(protocolVersions.max),
    [names.cluster]: encodeURIComponent(clusterId),
    [names.generation]: String(generationOf(identity) ?? anyGeneration),
    ...(lane === undefined ? {} : { [names.lane]: lane }),
    [names.from]: id,
    [names.to]: to,
  }
}

export interface Sender {
  readonly from: NodeId
  /** The newest that both speak. */
  readonly version: ProtocolVersion
  readonly lane: Lane | undefined
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
  const range = parseRange(header(names.protocol), header(names.protocolMax))
  const version = range === undefined ? undefined : commonVersion(range)
  if (range === undefined || version === undefined) return noCommonVersion({ from, id }, range)
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
  const lane = parseLane(header(names.lane))
  return refusal ?? { from: from as NodeId, version, lane, generation }
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

function parseRange(min: string, max: string): VersionRange | undefined {
  const isRange = /^\d{1,4}$/.test(min) && /^\d{0,4}$/.test(max)
  const range = { min: Number(min), max: max === '' ? Number(min) : Number(max) }
  return isRange && range.min >= 1 && range.min <= range.max ? range : undefined
}

function noCommonVersion(
  { from, id }: { readonly from: string; readonly id: NodeId },
  range: VersionRange | undefined,
): RaftError {
  const ours = rangeText(protocolVersions)
  if (range === undefined) {
    const text = `Member ${from} does not say which protocol it speaks, member ${id} speaks ${ours}`
    return new RaftError('VERSION_MISMATCH', text)
  }
  const older = range.max < protocolVersions.min ? from : id
  const text = `Member ${from} speaks protocol ${rangeText(range)}, member ${id} speaks ${ours}: upgrade member ${older} first`
  return new RaftError('VERSION_MISMATCH', text)
}

function rangeText({ min, max }: VersionRange): string {
  return min === max ? String(min) : `${min} to ${max}`
}

/** The version in which the peer wants to be spoken to; an error if we do not know it. */
export function versionOf(response: IncomingMessage, to: NodeId): ProtocolVersion | RaftError {
  const value = response.headers[protocolHeader]
  const version = typeof value === 'string' ? Number(value) : 1
  if (isKnown(version) && version >= protocolVersions.min) return version
  const text = `Member ${to} answers in protocol ${String(value)}, this member speaks ${rangeText(protocolVersions)}`
  return new RaftError('VERSION_MISMATCH', text)
}

/** The error that a refused sender reports. */
export function refusalOf(response: IncomingMessage, to: NodeId, body: string): RaftError {
  const code = response.headers[refusalHeader]
  const known: RaftErrorCode[] = [
    'VERSION_MISMATCH',
    'CLUSTER_MISMATCH',
    'OLD_GENERATION',
    'UNTRUSTED',
    'OVERLOADED',
    'CLOSED',
  ]
  const found = known.find((item) => item === code)
  if (found !== undefined) return new RaftError(found, body.trim())
  const text = `The server at the address of member ${to} answered ${response.statusCode ?? 0}, it is no member`
  return new RaftError('CLUSTER_MISMATCH', text)
}
