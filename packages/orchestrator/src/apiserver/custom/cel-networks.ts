// Kubernetes' functions of CEL for URLs, addresses and networks.
import type { Environment } from '@marcbachmann/cel-js'
import {
  formatIp,
  type IpAddress,
  type IpNetwork,
  networkContains,
  parseCidr,
  parseIp,
} from '../../resources/ip-address.ts'

class CelUrl {
  readonly url: URL
  /** As it was written: the parsed one is in its canonical form. */
  readonly text: string

  constructor(text: string) {
    if (!isUrl(text)) throw new Error(`URL parse error during conversion from string: ${text}`)
    this.text = text
    this.url = new URL(text, 'none://')
  }
}

class CelIp {
  readonly address: IpAddress

  constructor(address: IpAddress) {
    this.address = address
  }
}

class CelCidr {
  readonly network: IpNetwork

  constructor(network: IpNetwork) {
    this.network = network
  }
}

const isUrl = (text: string): boolean => text.startsWith('/') || URL.canParse(text)

const ipOf = (text: string): CelIp => {
  const address = parseIp(text)
  if (address === undefined) {
    throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
  }
  return new CelIp(address)
}

const cidrOf = (text: string): CelCidr => {
  const network = parseCidr(text)
  if (network === undefined) {
    throw new Error(`network address parse error during conversion from string: ${text}`)
  }
  return new CelCidr(network)
}

export const addNetworks = (environment: Environment): void => {
  environment.registerType('URL', { ctor: CelUrl, fields: {} })
  environment.registerType('IP', { ctor: CelIp, fields: {} })
  environment.registerType('CIDR', { ctor: CelCidr, fields: {} })
  addUrls(environment)
  addAddresses(environment)
  addCidrs(environment)
}

const addUrls = (environment: Environment): void => {
  environment.registerFunction('isURL(string): bool', isUrl)
  environment.registerFunction('url(string): URL', (text: string) => new CelUrl(text))
  const part = (name: string, read: (url: URL) => string): void => {
    environment.registerFunction(`URL.${name}(): string`, ({ url, text }: CelUrl) =>
      // A path alone has no host; its base is ours.
      text.startsWith('/') && name !== 'getEscapedPath' ? '' : read(url),
    )
  }
  part('getScheme', ({ protocol }) => protocol.slice(0, -1))
  part('getHost', ({ host }) => host)
  part('getHostname', ({ hostname }) => hostname.replace(/^\[(.*)\]$/, '$1'))
  part('getPort', ({ port }) => port)
  part('getEscapedPath', ({ pathname }) => pathname)
  environment.registerFunction('URL.getQuery(): map', ({ url }: CelUrl) => {
    const names = [...new Set(url.searchParams.keys())]
    return new Map(names.map((name) => [name, url.searchParams.getAll(name)]))
  })
}

const inNetwork = ({ address }: CelIp, ...networks: readonly string[]): boolean =>
  networks.some((text) => {
    const network = parseCidr(text)
    return network !== undefined && networkContains(network, address)
  })

const isUnspecified = (ip: CelIp): boolean => ip.address.value === 0n
const isLoopback = (ip: CelIp): boolean => inNetwork(ip, '127.0.0.0/8', '::1/128')
const isLinkLocalUnicast = (ip: CelIp): boolean => inNetwork(ip, '169.254.0.0/16', 'fe80::/10')

const addAddresses = (environment: Environment): void => {
  environment.registerFunction('isIP(string): bool', (text: string) => parseIp(text) !== undefined)
  environment.registerFunction('ip(string): IP', ipOf)
  environment.registerFunction('string(IP): string', ({ address }: CelIp) => formatIp(address))
  environment.registerFunction('IP.family(): int', ({ address }: CelIp) => BigInt(address.family))
  environment.registerOperator(
    'IP == IP',
    (a: CelIp, b: CelIp) =>
      a.address.family === b.address.family && a.address.value === b.address.value,
  )
  const checks: Readonly<Record<string, (ip: CelIp) => boolean>> = {
    isUnspecified,
    isLoopback,
    isLinkLocalUnicast,
    isLinkLocalMulticast: (ip) => inNetwork(ip, '224.0.0.0/24', 'ff02::/16'),
    isGlobalUnicast: (ip) =>
      !isUnspecified(ip) &&
      !isLoopback(ip) &&
      !isLinkLocalUnicast(ip) &&
      !inNetwork(ip, '224.0.0.0/4', '255.255.255.255/32', 'ff00::/8'),
  }
  for (const [name, check] of Object.entries(checks)) {
    environment.registerFunction(`IP.${name}(): bool`, check)
  }
}

const addCidrs = (environment: Environment): void => {
  environment.registerFunction(
    'isCIDR(string): bool',
    (text: string) => parseCidr(text) !== undefined,
  )
  environment.registerFunction('cidr(string): CIDR', cidrOf)
  environment.registerFunction(
    'CIDR.ip(): IP',
    ({ network }: CelCidr) => new CelIp(network.address),
  )
  environment.registerFunction('CIDR.prefixLength(): int', ({ network }: CelCidr) =>
    BigInt(network.prefix),
  )
  environment.registerFunction(
    'string(CIDR): string',
    ({ network }: CelCidr) => `${formatIp(network.address)}/${network.prefix}`,
  )
  const hasIp = ({ network }: CelCidr, { address }: CelIp): boolean =>
    networkContains(network, address)
  const hasCidr = ({ network }: CelCidr, inner: CelCidr): boolean =>
    inner.network.prefix >= network.prefix && networkContains(network, inner.network.address)
  environment.registerFunction('CIDR.containsIP(IP): bool', hasIp)
  environment.registerFunction('CIDR.containsIP(string): bool', (one: CelCidr, text: string) =>
    hasIp(one, ipOf(text)),
  )
  environment.registerFunction('CIDR.containsCIDR(CIDR): bool', hasCidr)
  environment.registerFunction('CIDR.containsCIDR(string): bool', (one: CelCidr, text: string) =>
    hasCidr(one, cidrOf(text)),
  )
}
