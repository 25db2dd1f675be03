// Members find each other by the SRV records of a domain, as etcd does: _etcd-server-ssl._tcp for https and _etcd-server._tcp for http.
import { lookup, resolveSrv } from 'node:dns/promises'
import { KvError } from '../errors.ts'

export interface SrvDiscoveryOptions {
  readonly domain: string
  /** Added to the names of the services. */
  readonly serviceName?: string | undefined
  readonly name: string
  readonly peerUrls: readonly string[]
}

/** The questions to DNS, for tests. */
export interface Resolver {
  srv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>
  address(host: string): Promise<string>
}

const dns: Resolver = {
  srv: resolveSrv,
  address: async (host) => (await lookup(host)).address,
}

/** The --initial-cluster of all members: the own entry by its address bears this member's name, the others are counted. */
export async function discoverBySrv(
  { domain, serviceName, name, peerUrls }: SrvDiscoveryOptions,
  resolver: Resolver = dns,
): Promise<string> {
  const suffix = serviceName === undefined || serviceName === '' ? '' : `-${serviceName}`
  const own = await Promise.all(peerUrls.map((url) => placeOf(resolver, new URL(url))))
  const parts: string[] = []
  const failures: string[] = []
  let counted = 0
  for (const [scheme, service] of [
    ['https', `_etcd-server-ssl${suffix}._tcp.${domain}`],
    ['http', `_etcd-server${suffix}._tcp.${domain}`],
  ] as const) {
    let records: Awaited<ReturnType<Resolver['srv']>> = []
    try {
      records = await resolver.srv(service)
    } catch (reason) {
      failures.push(reason instanceof Error ? reason.message : String(reason))
    }
    for (const record of records) {
      const url = `${scheme}://${record.name.replace(/\.$/, '')}:${record.port}`
      const isOwn = own.includes(await placeOf(resolver, new URL(url)))
      parts.push(`${isOwn ? name : counted++}=${url}`)
    }
  }
  if (parts.length > 0) return parts.join(',')
  const why = failures.join('; ')
  throw new KvError('INTERNAL', { message: `--discovery-srv: no member is found: ${why}` })
}

/** Address and port; a host that is not known stays as it is written, and so belongs to nobody else. */
async function placeOf(resolver: Resolver, { hostname, port, protocol }: URL): Promise<string> {
  const number = port === '' ? (protocol === 'https:' ? '443' : '80') : port
  const address = await resolver.address(hostname).catch(() => hostname)
  return `${address}:${number}`
}
