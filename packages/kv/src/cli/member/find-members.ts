// Where the first members are not named by --initial-cluster: they are found before the member is opened, once.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { discoverByRegistry } from '../../discovery/registry-discovery.ts'
import { discoverBySrv } from '../../discovery/srv-discovery.ts'
import type { DiscoverySettings } from './flags/command-settings.ts'
import { FlagError } from './given-flags.ts'
import type { MemberLog } from './member-log.ts'
import type { MemberSettings } from './parse-member-flags.ts'

/** The settings with the members in them. A member that has its data knows them. */
export async function findMembers(
  settings: MemberSettings,
  log: MemberLog,
): Promise<MemberSettings> {
  const { options, discovery } = settings
  const { srvDomain = '', endpoints = [] } = discovery
  if (srvDomain === '' && endpoints.length === 0) return settings
  const waysCount = [srvDomain !== '', endpoints.length > 0, options.initialCluster !== undefined]
  if (waysCount.filter(Boolean).length > 1) {
    throw new FlagError(
      'multiple discovery or bootstrap flags are set. Choose one of "initial-cluster", "discovery-endpoints" or "discovery-srv"',
    )
  }
  if (existsSync(join(options.dataDir, 'member'))) {
    log('info', 'discovery is skipped: the member has its data')
    return settings
  }
  const { name = 'default', listenPeerUrls } = options
  const peerUrls = options.initialAdvertisePeerUrls ?? listenPeerUrls
  if (srvDomain !== '') {
    const { srvName: serviceName } = discovery
    const initialCluster = await discoverBySrv({ domain: srvDomain, serviceName, name, peerUrls })
    return { ...settings, options: { ...options, initialCluster } }
  }
  const { token = '' } = discovery
  if (token === '') throw new FlagError('--discovery-endpoints also needs --discovery-token')
  const initialCluster = await discoverByRegistry({
    token,
    name,
    peerUrls,
    registry: registryOf(discovery),
    onWaiting: (found, size) => {
      log('info', 'waiting for the other members of the discovered cluster', { found, size })
    },
  })
  return { ...settings, options: { ...options, initialCluster, initialClusterToken: token } }
}

type Registry = Parameters<typeof discoverByRegistry>[0]['registry']

function registryOf(discovery: DiscoverySettings): Registry {
  const { endpoints = [], certFile, keyFile, caFile, user, dialTimeoutMs } = discovery
  const [userName, ...rest] = (user ?? '').split(':')
  const password = discovery.password ?? rest.join(':')
  const read = (path: string): string => readFileSync(path, 'utf8')
  const tls = {
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
  }
  return {
    endpoints,
    tls,
    ...(dialTimeoutMs === undefined ? {} : { connectTimeoutMs: dialTimeoutMs }),
    ...(userName === undefined || userName === '' ? {} : { user: { name: userName, password } }),
  }
}
