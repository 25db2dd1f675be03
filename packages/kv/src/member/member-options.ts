// The options of openMember and what follows from them: who this member is and who its peers are. Names in errors are etcd's flags.
import { KvError } from '../errors.ts'
import type { PeerTlsFiles } from './peer-tls-files.ts'
import { clusterIdOf, idText, memberIdOf } from './identity.ts'
import type { ServerOptions } from './server-options.ts'
import type { StorageOptions } from './storage-options.ts'

export interface MemberOptions extends ServerOptions, StorageOptions {
  /** This member's name in `initialCluster`; 'default' if left out. */
  readonly name?: string
  /** Where everything is kept; the folder is made if it is missing. Not needed with `memory`. */
  readonly dataDir?: string
  /** A folder for the log alone, as on a disk of its own; in the data directory if left out. */
  readonly walDir?: string
  /** Keeps nothing: all data is gone after close(). */
  readonly memory?: boolean
  /** Left out: no listener, the member is used from this process only. */
  readonly listenClientUrls?: readonly string[]
  /** What clients of the cluster are told; the listen URLs if left out. */
  readonly advertiseClientUrls?: readonly string[]
  /** Left out: no listener for peers, which only a cluster of one can do without. */
  readonly listenPeerUrls?: readonly string[]
  readonly initialAdvertisePeerUrls?: readonly string[]
  /** Members show certificates to each other; all peer URLs begin with https. */
  readonly peerTls?: PeerTlsFiles
  /** Without `peerTls`: peer URLs begin with https, but nobody is asked who he is. */
  readonly peerAutoTls?: boolean
  /** 'name=http://host:port,...' of all first members; this member alone if left out. */
  readonly initialCluster?: string
  readonly initialClusterToken?: string
  /** 'existing': the member was added to a running cluster, and asks it who it is; 'new' if left out. Without effect once there is data. */
  readonly initialClusterState?: 'new' | 'existing'
  /** Refuses changes of members that could cost the quorum; true if left out. */
  readonly strictReconfigCheck?: boolean
  /** The most learners in the cluster; 1 if left out. */
  readonly maxLearners?: number
  /** New learners become voters by themselves once they have caught up; as the leader's option says. */
  readonly learnerAutoPromote?: boolean
  /** Expired leases revoked per second, at most; 1000 if left out. */
  readonly leaseRevokesPerSecond?: number
  /** Whether long leases go on after a change of the leader where they were, and do not start anew; true if left out. */
  readonly leaseCheckpoints?: boolean
  readonly heartbeatIntervalMs?: number
  readonly electionTimeoutMs?: number
  /** How often watches that asked for it hear that nothing happened; 10 minutes if left out, at least 100 ms. */
  readonly watchProgressNotifyIntervalMs?: number
  /** Applied entries between two checkpoints. */
  readonly snapshotCount?: number
  /** How tokens are made: 'simple', or 'jwt,sign-method=...,pub-key=FILE,priv-key=FILE,ttl=5m'. */
  readonly authToken?: string
  /** How costly a password is to check: 4 to 31. */
  readonly bcryptCost?: number
  /** How long a simple token lives unused. */
  readonly authTokenTtlSeconds?: number
  /** Something an operator should know of, as a peer of another cluster that was refused. */
  readonly onWarning?: (message: string) => void
  /** The member stopped by itself, as after a failed disk write. */
  readonly onFailed?: (error: Error) => void
}

export interface MemberPlan {
  readonly id: bigint
  readonly clusterId: bigint
  readonly name: string
  readonly peerUrls: readonly string[]
  /** The first members' ids, this one's too. */
  readonly voters: readonly string[]
  /** Peer URLs of all of them by id. */
  readonly peerUrlsById: ReadonlyMap<string, readonly string[]>
  /** It starts for the first time, in a cluster that runs already. */
  readonly isJoining: boolean
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
}

const electionTimeoutMsMax = 50_000
const defaultPeerUrl = 'http://localhost:2380'
const defaultToken = 'etcd-cluster'

/** Throws an error that names the option at fault. */
export function planMember(options: MemberOptions): MemberPlan {
  const name = options.name ?? 'default'
  const token = options.initialClusterToken ?? defaultToken
  const advertised = options.initialAdvertisePeerUrls ?? options.listenPeerUrls ?? [defaultPeerUrl]
  const cluster = parseCluster(options.initialCluster ?? alone(name, advertised))
  const peerUrls = cluster.get(name)
  if (peerUrls === undefined) {
    throw badOption(`--initial-cluster does not name this member; add '${name}=URL' or set --name`)
  }
  if (options.initialAdvertisePeerUrls !== undefined && !isSame(peerUrls, advertised)) {
    throw badOption(
      `--initial-cluster has '${name}=${peerUrls.join(',')}' but --initial-advertise-peer-urls is '${advertised.join(',')}'; they must agree`,
    )
  }
  if (cluster.size > 1 && options.listenPeerUrls === undefined) {
    throw badOption('--listen-peer-urls is missing; a cluster of several members needs it')
  }
  const ids = new Map<string, readonly string[]>()
  for (const urls of cluster.values()) ids.set(idText(memberIdOf(urls, token)), urls)
  if (ids.size < cluster.size) {
    throw badOption('--initial-cluster has two members with the same URLs')
  }
  return {
    id: memberIdOf(peerUrls, token),
    clusterId: clusterIdOf([...cluster.values()].map((urls) => memberIdOf(urls, token))),
    name,
    peerUrls,
    voters: [...ids.keys()].sort(),
    peerUrlsById: ids,
    isJoining: false,
    ...times(options),
  }
}

/** etcd's lowest TTL: one and a half election timeouts, in whole seconds. */
export function leaseTtlSecondsMin(electionTimeoutMs: number): number {
  return Math.ceil((1.5 * electionTimeoutMs) / 1000)
}

function times(options: MemberOptions): { heartbeatIntervalMs: number; electionTimeoutMs: number } {
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? 100
  const electionTimeoutMs = options.electionTimeoutMs ?? 1000
  if (!(heartbeatIntervalMs > 0)) {
    throw badOption(`--heartbeat-interval is ${heartbeatIntervalMs} ms; it must be positive`)
  }
  if (electionTimeoutMs < 5 * heartbeatIntervalMs) {
    throw badOption(
      `--election-timeout is ${electionTimeoutMs} ms; it must be at least 5 times --heartbeat-interval (${heartbeatIntervalMs} ms)`,
    )
  }
  if (electionTimeoutMs > electionTimeoutMsMax) {
    throw badOption(
      `--election-timeout is ${electionTimeoutMs} ms; it must be at most ${electionTimeoutMsMax} ms`,
    )
  }
  return { heartbeatIntervalMs, electionTimeoutMs }
}

/** 'a=url,a=url2,b=url' as URLs by name. */
function parseCluster(text: string): Map<string, string[]> {
  const cluster = new Map<string, string[]>()
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    const name = part.slice(0, Math.max(at, 0)).trim()
    const url = part.slice(at + 1).trim()
    if (name === '' || !isUrl(url)) {
      throw badOption(`--initial-cluster has '${part}'; want 'NAME=http://HOST:PORT'`)
    }
    cluster.set(name, [...(cluster.get(name) ?? []), url].sort())
  }
  return cluster
}

function isUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, port, pathname } = new URL(text)
  // The port of a scheme's default is left out by the parser.
  const hasPort = port !== '' || /:\d+$/.test(text)
  return (protocol === 'http:' || protocol === 'https:') && hasPort && pathname === '/'
}

function alone(name: string, urls: readonly string[]): string {
  return urls.map((url) => `${name}=${url}`).join(',')
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join(',') === [...b].sort().join(',')
}

function badOption(message: string): KvError {
  return new KvError('INTERNAL', { message })
}
