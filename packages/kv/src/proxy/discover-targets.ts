// Where the members of a cluster listen: named by hand, or by DNS SRV records as etcd's clients look them up.
import { resolveSrv } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SrvRecord } from 'node:dns'
import type { GatewayTarget } from './tcp-gateway.ts'

const confirmTimeoutMs = 5000

export interface TargetSource {
  /** host:port, or URLs of which host and port count. */
  readonly endpoints: readonly string[]
  /** The domain whose SRV records name the members; '' for none. */
  readonly discoverySrv: string
  /** A suffix of the service's name. */
  readonly discoverySrvName: string
  /** Takes records of members without TLS too. */
  readonly insecureDiscovery: boolean
}

export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>

export interface Found {
  readonly targets: readonly GatewayTarget[]
  /** Whether the records say that the members have TLS. */
  readonly isSecure: boolean
}

/** Rejects with one line when there is none. */
export async function discoverTargets(
  source: TargetSource,
  resolve: ResolveSrv = resolveSrv,
): Promise<Found> {
  if (source.discoverySrv === '') {
    return { targets: source.endpoints.map(parseTarget), isSecure: false }
  }
  const suffix = source.discoverySrvName === '' ? '' : `-${source.discoverySrvName}`
  const services = [
    { name: `etcd-client-ssl${suffix}`, isSecure: true },
    ...(source.insecureDiscovery ? [{ name: `etcd-client${suffix}`, isSecure: false }] : []),
  ]
  for (const { name, isSecure } of services) {
    const targets = await lookUp(`_${name}._tcp.${source.discoverySrv}`, resolve)
    if (targets.length > 0) return { targets, isSecure }
  }
  const names = services.map(({ name }) => name).join(' or ')
  throw new Error(`--discovery-srv '${source.discoverySrv}' has no records of ${names}`)
}

async function lookUp(name: string, resolve: ResolveSrv): Promise<GatewayTarget[]> {
  try {
    const records = await resolve(name)
    return records.map(({ name: host, port, priority, weight }) => {
      return { host: host.replace(/\.$/, ''), port, priority, weight }
    })
  } catch (reason) {
    const { code } = reason as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw reason
  }
}

function parseTarget(text: string): GatewayTarget {
  const url = text.includes('://') ? text : `http://${text}`
  const match = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/]+):(\d+)\/?$/.exec(url)
  if (match === null) throw new Error(`--endpoints has '${text}'; it must look like 127.0.0.1:2379`)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { host, port: Number(match[2]), priority: 0, weight: 0 }
}

/** Those that show a certificate of the authority in `caFile`; rejects when there is none. */
export async function confirmTls(
  targets: readonly GatewayTarget[],
  caFile: string,
): Promise<readonly GatewayTarget[]> {
  const ca = await readFile(caFile)
  const isGood = (target: GatewayTarget): Promise<boolean> =>
    new Promise((resolve) => {
      const { host, port } = target
      const socket = connectTls({ host, port, ca, servername: isIP(host) === 0 ? host : '' })
      const finish = (good: boolean): void => {
        socket.destroy()
        resolve(good)
      }
      socket.setTimeout(confirmTimeoutMs, () => finish(false))
      socket.once('secureConnect', () => finish(true))
      socket.once('error', () => finish(false))
    })
  const verdicts = await Promise.all(targets.map(isGood))
  const good = targets.filter((_target, i) => verdicts[i] === true)
  if (good.length === 0)
    throw new Error(`no endpoint shows a certificate of --trusted-ca-file '${caFile}'`)
  return good
}
