// The lines of etcd's log that tools wait for or show: what a member was started with, what it serves, and that it is ready.
import { arch, platform } from 'node:os'
import type { Member } from '../../index.ts'
import { etcdVersion } from '../../member/version.ts'
import type { MemberLog } from './member-log.ts'
import type { MemberSettings } from './parse-member-flags.ts'

export function announceStart(settings: MemberSettings, log: MemberLog): void {
  const { options } = settings
  log('info', 'configuring peer listeners', { 'listen-peer-urls': options.listenPeerUrls })
  log('info', 'configuring client listeners', { 'listen-client-urls': options.listenClientUrls })
  log('info', 'starting an etcd server', {
    'etcd-version': etcdVersion,
    'node-version': process.version,
    'node-os': platform(),
    'node-arch': arch(),
    name: options.name,
    'data-dir': options.dataDir,
    'heartbeat-interval': `${options.heartbeatIntervalMs ?? 100}ms`,
    'election-timeout': `${(options.electionTimeoutMs ?? 1000) / 1000}s`,
    'initial-advertise-peer-urls': options.initialAdvertisePeerUrls ?? options.listenPeerUrls,
    'listen-peer-urls': options.listenPeerUrls,
    'advertise-client-urls': options.advertiseClientUrls ?? options.listenClientUrls,
    'listen-client-urls': options.listenClientUrls,
    'listen-metrics-urls': options.listenMetricsUrls ?? [],
    'initial-cluster': options.initialCluster ?? '',
    'initial-cluster-state': options.initialClusterState ?? 'new',
    'initial-cluster-token': options.initialClusterToken ?? 'etcd-cluster',
  })
}

/** The ports are open; whether there is a quorum is not known yet. */
export function announceServing(member: Member, { options }: MemberSettings, log: MemberLog): void {
  const { listenPeerUrls, listenMetricsUrls = [] } = options
  log('info', 'now serving peer/client/metrics', {
    'local-member-id': member.id.toString(16),
    'initial-advertise-peer-urls': options.initialAdvertisePeerUrls ?? listenPeerUrls,
    'listen-peer-urls': listenPeerUrls,
    'advertise-client-urls': options.advertiseClientUrls ?? member.clientUrls,
    'listen-client-urls': member.clientUrls,
    'listen-metrics-urls': listenMetricsUrls,
  })
  for (const url of listenPeerUrls) {
    log('info', 'serving peer traffic', { address: addressOf(url) })
  }
  for (const url of listenMetricsUrls) {
    log('info', 'serving metrics', { address: addressOf(url) })
  }
}

/** The member takes part in a cluster that has a quorum. */
export function announceReady(member: Member, { options }: MemberSettings, log: MemberLog): void {
  const clientUrls = options.advertiseClientUrls ?? member.clientUrls
  log('info', 'published local member to cluster through raft', {
    'local-member-id': member.id.toString(16),
    'local-member-attributes': `{Name:${member.name} ClientURLs:[${clientUrls.join(' ')}]}`,
    'cluster-id': member.clusterId.toString(16),
  })
  for (const url of member.clientUrls) {
    const address = addressOf(url)
    log('info', 'ready to serve client requests', { address })
    const isSecure = /^(?:https|unixs):/.test(url)
    if (isSecure) log('info', 'serving client traffic securely', { address })
    else {
      const message = 'serving client traffic insecurely; this is strongly discouraged!'
      log('info', message, { address })
    }
  }
}

export function announceClosing(
  { options }: MemberSettings,
  log: MemberLog,
  phase: 'closing' | 'closed',
): void {
  log('info', `${phase} etcd server`, {
    name: options.name,
    'data-dir': options.dataDir,
    'advertise-peer-urls': options.initialAdvertisePeerUrls ?? options.listenPeerUrls,
    'advertise-client-urls': options.advertiseClientUrls ?? options.listenClientUrls,
  })
}

function addressOf(url: string): string {
  return url.replace(/^(?:https?|unixs?):\/\//, '')
}
