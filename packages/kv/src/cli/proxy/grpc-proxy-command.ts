// `grpc-proxy start`: the gRPC front.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { discoverTargets } from '../../proxy/discover-targets.ts'
import type { GrpcProxyOptions } from '../../proxy/grpc-proxy.ts'
import { selfSignedFiles } from '../../tls/self-signed.ts'
import type { MemberLog } from '../member/member-log.ts'
import { collect, defaultEndpoints, isOn } from './proxy-flags.ts'
import type { DiscoveryFlags } from './proxy-flags.ts'
import type { Run, Running } from './proxy-program.ts'

interface GrpcProxyFlags extends DiscoveryFlags {
  readonly listenAddr: string
  readonly metricsAddr: string
  readonly advertiseClientUrl: string
  readonly resolverPrefix: string
  readonly resolverTtl: string
  readonly namespace: string
  readonly dataDir: string
  readonly cert: string
  readonly key: string
  readonly cacert: string
  readonly insecureSkipTlsVerify: boolean | string
  readonly certFile: string
  readonly keyFile: string
  readonly trustedCaFile: string
  readonly autoTls: boolean | string
  readonly clientCrlFile: string
}

/** Accepted, as scripts have them, with no effect here. */
const inert = [
  '--max-send-message-size <bytes>',
  '--max-recv-message-size <bytes>',
  '--max-concurrent-streams <count>',
  '--grpc-keepalive-min-time <time>',
  '--grpc-keepalive-interval <time>',
  '--grpc-keepalive-timeout <time>',
  '--dial-keepalive-time <time>',
  '--dial-keepalive-timeout <time>',
  '--permit-without-stream [on]',
  '--endpoints-auto-sync-interval <time>',
  '--enable-pprof [on]',
  '--debug [on]',
  '--experimental-serializable-ordering [on]',
  '--experimental-enable-grpc-logging [on]',
] as const

export function addGrpcProxyCommand(program: Command, log: MemberLog, run: Run): void {
  const start = program
    .command('grpc-proxy')
    .description('grpc-proxy related command')
    .command('start')
    .description('start the grpc proxy')
    .option('--listen-addr <address>', 'listen address', '127.0.0.1:23790')
    .option('--discovery-srv <domain>', 'domain name to query for SRV records', '')
    .option('--discovery-srv-name <name>', 'service name to query when using DNS discovery', '')
    .option('--metrics-addr <url>', 'listen for endpoint /metrics requests here too', '')
    .option('--insecure-discovery [on]', 'accept insecure SRV records', false)
    .option(
      '--endpoints <list>',
      'comma separated etcd cluster endpoints',
      collect(defaultEndpoints),
      defaultEndpoints,
    )
    .option('--advertise-client-url <url>', 'address clients are told', '127.0.0.1:23790')
    .option('--resolver-prefix <prefix>', 'prefix of the registered proxies', '')
    .option('--resolver-ttl <seconds>', 'time to live of the registration', '0')
    .option('--namespace <prefix>', 'prefix of all keys', '')
    .option('--data-dir <folder>', 'where a self-signed certificate is kept', 'default.proxy')
    .option('--cert <file>', 'certificate shown to the etcd servers', '')
    .option('--key <file>', 'its key', '')
    .option('--cacert <file>', 'authority of the etcd servers', '')
    .option('--insecure-skip-tls-verify [on]', 'do not look at their certificates', false)
    .option('--cert-file <file>', 'certificate shown to clients', '')
    .option('--key-file <file>', 'its key', '')
    .option('--trusted-ca-file <file>', 'authority of the clients', '')
    .option('--auto-tls [on]', 'show a self-signed certificate to clients', false)
    .option('--client-crl-file <file>', 'revoked certificates of clients', '')
  for (const flags of inert) start.option(flags, 'no effect here')
  start.action((flags: GrpcProxyFlags) => run(() => startProxy(flags, log)))
}

async function startProxy(flags: GrpcProxyFlags, log: MemberLog): Promise<Running> {
  const { startGrpcProxy } = await import('../../proxy/grpc-proxy.ts')
  const { metricsAddr, advertiseClientUrl } = flags
  const resolver = resolverOf(flags)
  const serverTls = await serverTlsOf(flags)
  const proxy = await startGrpcProxy({
    listenAddress: flags.listenAddr,
    endpoints: await endpointsOf(flags),
    tls: await clientTlsOf(flags),
    insecureSkipVerify: isOn(flags.insecureSkipTlsVerify),
    namespace: Buffer.from(flags.namespace),
    onWarning: (message) => log('warn', message),
    ...(serverTls === undefined ? {} : { serverTls }),
    ...(metricsAddr === '' ? {} : { metricsUrl: metricsAddr }),
    ...(advertiseClientUrl === '' ? {} : { advertiseClientUrl }),
    ...(resolver === undefined ? {} : { resolver }),
  })
  log('info', 'listening for gRPC proxy client requests', { address: proxy.address })
  log('info', 'started gRPC proxy', { address: proxy.address })
  return proxy
}

/** etcd's checks, in its words. */
function resolverOf(flags: GrpcProxyFlags): GrpcProxyOptions['resolver'] {
  const { resolverPrefix: prefix, advertiseClientUrl } = flags
  const ttlSeconds = Number(flags.resolverTtl)
  if (prefix !== '' && !(ttlSeconds >= 1))
    throw new Error(`invalid resolver-ttl ${flags.resolverTtl}`)
  if (prefix === '' && ttlSeconds > 0) throw new Error(`invalid resolver-prefix ""`)
  if (prefix !== '' && advertiseClientUrl === '') throw new Error(`invalid advertise-client-url ""`)
  return prefix === '' ? undefined : { prefix: prefix.replace(/\/$/, ''), ttlSeconds }
}

async function endpointsOf(flags: GrpcProxyFlags): Promise<string[]> {
  const found = await discoverTargets({
    ...flags,
    insecureDiscovery: isOn(flags.insecureDiscovery),
  })
  const { cacert, cert, endpoints } = flags
  const isSecure =
    found.isSecure || cacert !== '' || cert !== '' || isOn(flags.insecureSkipTlsVerify)
  return found.targets.map(({ host, port }, i) => {
    const isHttps = isSecure || endpoints[i]?.startsWith('https://') === true
    const shownHost = host.includes(':') ? `[${host}]` : host
    return `${isHttps ? 'https' : 'http'}://${shownHost}:${port}`
  })
}

async function clientTlsOf(flags: GrpcProxyFlags): Promise<GrpcProxyOptions['tls']> {
  const files = { ca: flags.cacert, cert: flags.cert, key: flags.key }
  const texts = Object.entries(files)
    .filter(([, path]) => path !== '')
    .map(async ([name, path]) => [name, await readFile(path, 'utf8')] as const)
  return Object.fromEntries(await Promise.all(texts))
}

async function serverTlsOf(flags: GrpcProxyFlags): Promise<GrpcProxyOptions['serverTls']> {
  const { certFile, keyFile, trustedCaFile, clientCrlFile } = flags
  const asked = {
    ...(trustedCaFile === '' ? {} : { trustedCaFile }),
    ...(clientCrlFile === '' ? {} : { crlFile: clientCrlFile }),
  }
  if (certFile !== '' && keyFile !== '') return { certFile, keyFile, ...asked }
  if (certFile !== '' || keyFile !== '') throw new Error('--cert-file and --key-file go together')
  if (!isOn(flags.autoTls)) return undefined
  const host = flags.listenAddr.replace(/:\d+$/, '')
  const signed = await selfSignedFiles(join(flags.dataDir, 'fixtures', 'proxy'), [host])
  return { ...signed, ...asked }
}
