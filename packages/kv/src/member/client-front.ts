// The listeners for clients of one member, as its options say.
import { join } from 'node:path'
import { listenClients, type ClientListener } from '../api/client-listener.ts'
import { parseListenUrl } from '../api/listen-url.ts'
import { createNativeServer } from '../api/native/native-server.ts'
import { KvError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { openServerTls, type ServerTls, type ServerTlsOptions } from '../tls/server-tls.ts'
import { selfSignedFiles } from '../tls/self-signed.ts'
import type { MemberOptions } from './member-options.ts'
import type { MemberApi } from './types.ts'

/** Undefined without listen URLs. Rejects with an error that names the flag at fault. */
export async function openClientListener(
  member: MemberApi,
  options: MemberOptions,
  limits: Readonly<Limits>,
): Promise<ClientListener | undefined> {
  const { listenClientUrls = [], listenClientHttpUrls, listenMetricsUrls, onLog } = options
  const urls = [...listenClientUrls, ...(listenClientHttpUrls ?? []), ...(listenMetricsUrls ?? [])]
  if (urls.length === 0) return undefined
  const isSecure = urls.some((url) => parseListenUrl(url).isTls)
  const tls = isSecure ? await openTls(options) : undefined
  return listenClients({
    member,
    urls: listenClientUrls,
    httpUrls: listenClientHttpUrls,
    metricsUrls: listenMetricsUrls,
    tls,
    hasGateway: options.enableGrpcGateway,
    access: { cors: allIfEmpty(options.cors), hostWhitelist: allIfEmpty(options.hostWhitelist) },
    native: createNativeServer(member),
    limits,
    onRefused: (address, why) =>
      onLog?.('warn', 'rejected connection', { 'remote-addr': address, error: why }),
  })
}

/** Undefined: neither files nor --auto-tls are there. */
async function openTls(options: MemberOptions): Promise<ServerTls | undefined> {
  const serverTls = await tlsOptions(options)
  if (serverTls === undefined) return undefined
  const { onLog, onWarning } = options
  return openServerTls(serverTls, {
    onRenewed: (path) => onLog?.('info', 'took renewed certificates', { 'cert-file': path }),
    onUnusable: (error) => onWarning?.(`renewed certificates cannot be used: ${error.message}`),
  })
}

async function tlsOptions(options: MemberOptions): Promise<ServerTlsOptions | undefined> {
  const { clientTls = {}, clientAutoTls } = options
  const { certFile = '', keyFile = '' } = clientTls
  if (certFile !== '' && keyFile !== '') return { ...clientTls, certFile, keyFile }
  if (certFile !== '' || keyFile !== '') {
    const message = `KeyFile and CertFile must both be present[key: ${keyFile}, cert: ${certFile}]`
    throw new KvError('INTERNAL', { message })
  }
  if (clientAutoTls !== true) return undefined
  const { listenClientUrls = [], listenClientHttpUrls = [], dataDir } = options
  if (dataDir === undefined) {
    throw new KvError('INTERNAL', { message: '--auto-tls needs a --data-dir for its certificate' })
  }
  const hosts = [...listenClientUrls, ...listenClientHttpUrls].map(
    (url) => parseListenUrl(url).host,
  )
  const names = [...new Set([...hosts, 'localhost', '127.0.0.1'])].filter((host) => host !== '')
  const years = options.selfSignedCertValidityYears ?? 1
  const files = await selfSignedFiles(join(dataDir, 'fixtures', 'client'), names, years)
  return { ...clientTls, ...files }
}

/** As etcd has it: an empty list is no list. */
function allIfEmpty(list: readonly string[] = []): readonly string[] {
  return list.length === 0 ? ['*'] : list
}
