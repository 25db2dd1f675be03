// The formats that a schema of a custom kind may name for a text; others are taken for words.

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
const hexByte = '[0-9A-Fa-f]{2}'
const patterns: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  uuid3: /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  uuid4: /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i,
  uuid5: /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i,
  ipv4,
  mac: new RegExp(`^${hexByte}([:-])(?:${hexByte}\\1){4}${hexByte}$`),
  date: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
  'date-time':
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/,
  duration: /^-?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$|^0$/,
  email: /^[^\s@]+@[^\s@]+$/,
  hostname:
    /^(?=.{1,253}$)[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$/,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  hexcolor: /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/,
  bsonobjectid: /^[0-9a-fA-F]{24}$/,
}

const cidr = /^(.+)\/(\d{1,3})$/

/** Whether it is an address of version 6, written in full or with `::`, with an IPv4 address at the end where somebody likes that. */
export const isIpv6 = (text: string): boolean => {
  const [head = '', tail, more] = text.split('::')
  if (more !== undefined) return false
  const groups = (part: string): number | undefined => {
    if (part === '') return 0
    const words = part.split(':')
    const last = words.at(-1) ?? ''
    const isMixed = ipv4.test(last)
    const hex = isMixed ? words.slice(0, -1) : words
    if (!hex.every((word) => /^[0-9A-Fa-f]{1,4}$/.test(word))) return undefined
    return hex.length + (isMixed ? 2 : 0)
  }
  const before = groups(head)
  if (before === undefined) return false
  if (tail === undefined) return before === 8
  const after = groups(tail)
  return after !== undefined && before + after < 8
}

/** What is wrong with `text`; undefined: nothing, or nobody knows the format. */
export const formatProblem = (format: string, text: string): string | undefined =>
  isOfFormat(format, text) ? undefined : `it is no ${format}`

const isOfFormat = (format: string, text: string): boolean => {
  switch (format) {
    case 'ipv6':
      return isIpv6(text)
    case 'ip':
      return ipv4.test(text) || isIpv6(text)
    case 'cidr': {
      const [, address = '', bits = ''] = cidr.exec(text) ?? []
      if (ipv4.test(address)) return Number(bits) <= 32
      return isIpv6(address) && Number(bits) <= 128
    }
    default: {
      const pattern = Object.hasOwn(patterns, format) ? patterns[format] : undefined
      return pattern === undefined || pattern.test(text)
    }
  }
}
