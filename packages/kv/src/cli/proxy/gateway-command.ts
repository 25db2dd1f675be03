// `gateway start`: the TCP front.
import type { Command } from 'commander'
import { confirmTls, discoverTargets } from '../../proxy/discover-targets.ts'
import { startTcpGateway } from '../../proxy/tcp-gateway.ts'
import type { MemberLog } from '../member/member-log.ts'
import { collect, defaultEndpoints, isOn, milliseconds, parseAddress } from './proxy-flags.ts'
import type { DiscoveryFlags } from './proxy-flags.ts'
import type { Run, Running } from './proxy-program.ts'

interface GatewayFlags extends DiscoveryFlags {
  readonly listenAddr: string
  readonly retryDelay: string
  readonly trustedCaFile: string
}

export function addGatewayCommand(program: Command, log: MemberLog, run: Run): void {
  program
    .command('gateway')
    .description('gateway related command')
    .command('start')
    .description('start the gateway')
    .option('--listen-addr <address>', 'listen address', '127.0.0.1:23790')
    .option('--discovery-srv <domain>', 'DNS domain used to bootstrap initial cluster', '')
    .option('--discovery-srv-name <name>', 'service name to query when using DNS discovery', '')
    .option('--insecure-discovery [on]', 'accept insecure SRV records', false)
    .option('--trusted-ca-file <file>', 'CA certificate that found endpoints must be good for', '')
    .option(
      '--endpoints <list>',
      'comma separated etcd cluster endpoints',
      collect(defaultEndpoints),
      defaultEndpoints,
    )
    .option('--retry-delay <time>', 'duration of delay before retrying failed endpoints', '1m0s')
    .action((flags: GatewayFlags) => run(() => start(flags, log)))
}

async function start(flags: GatewayFlags, log: MemberLog): Promise<Running> {
  const found = await discoverTargets({
    ...flags,
    insecureDiscovery: isOn(flags.insecureDiscovery),
  })
  const { trustedCaFile, discoverySrv } = flags
  const isChecked = discoverySrv !== '' && trustedCaFile !== ''
  const targets = isChecked ? await confirmTls(found.targets, trustedCaFile) : found.targets
  const gateway = await startTcpGateway({
    ...parseAddress(flags.listenAddr),
    targets,
    retryDelayMs: milliseconds(flags.retryDelay),
    onUnreachable: ({ host, port }, reason) =>
      log('warn', 'deactivated endpoint', { address: `${host}:${port}`, error: reason.message }),
  })
  log('info', 'ready to proxy client requests', {
    address: gateway.address,
    endpoints: targets.map(({ host, port }) => `${host}:${port}`),
  })
  return gateway
}
