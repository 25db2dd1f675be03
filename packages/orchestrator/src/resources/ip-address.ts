// IP addresses and networks as numbers: parsing, canonical text, and whether one network lies in another.

export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}
export interface IpNetwork {
  readonly address: IpAddress
  /** Length of the network's part in bits. */
  readonly prefix: number
}

const bitsOf = { 4: 32, 6: 128 } as const

/** undefined: it is none. IPv4 octets have no leading zeros, as Go has it. */
export const parseIp = (text: string): IpAddress | undefined => {
  if (!text.includes(':')) {
    const value = parseIpv4(text)
    return value === undefined ? undefined : { family: 4, value }
  }
  const value = parseIpv6(text)
  return value === undefined ? undefined : { family: 6, value }
}

export const parseCidr = (text: string): IpNetwork | undefined => {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const ip = parseIp(address)
  const prefix = Number(length)
  return ip === undefined || prefix > bitsOf[ip.family] ? undefined : { address: ip, prefix }
}

export const networkContains = ({ address, prefix }: IpNetwork, ip: IpAddress): boolean => {
  const hostBits = BigInt(bitsOf[address.family] - prefix)
  return address.family === ip.family && address.value >> hostBits === ip.value >> hostBits
}

/** As Go prints it: lower case, the longest run of zero groups shortened. */
export const formatIp = ({ family, value }: IpAddress): string => {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  )
  const runs = groups.join(' ').match(/\b0(?: 0)+\b/g) ?? []
  const [longest = ''] = runs.toSorted((x, y) => y.length - x.length)
  if (longest === '') return groups.join(':')
  const text = ` ${groups.join(' ')} `
  const at = text.indexOf(` ${longest} `)
  const before = text.slice(0, at).trim()
  const after = text.slice(at + longest.length + 1).trim()
  return `${before.replaceAll(' ', ':')}::${after.replaceAll(' ', ':')}`
}

const parseIpv4 = (text: string): bigint | undefined => {
  const octets = text.split('.')
  const isAddress =
    octets.length === 4 &&
    octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)
  if (!isAddress) return undefined
  return octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
}

const parseIpv6 = (text: string): bigint | undefined => {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const first = groupsOf(head, tail === undefined)
  const last = tail === undefined ? [] : groupsOf(tail, true)
  if (first === undefined || last === undefined) return undefined
  const missing = 8 - first.length - last.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...first, ...Array.from({ length: missing }, () => 0n), ...last].reduce(
    (value, group) => (value << 16n) | group,
    0n,
  )
}

/** The groups of a part of an IPv6 address; the very last may be an IPv4 address. */
const groupsOf = (text: string, isEnd: boolean): bigint[] | undefined => {
  if (text === '') return []
  const groups: bigint[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[\da-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
    else {
      const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
      if (ipv4 === undefined) return undefined
      groups.push(ipv4 >> 16n, ipv4 & 0xffffn)
    }
  }
  return groups
}
