// The names Kubernetes allows (apimachinery util/validation), with upstream's texts. Each check returns what is wrong, nothing when fine.

const dnsLabelBytesMax = 63
const dnsSubdomainBytesMax = 253
const labelPartBytesMax = 63
const suffixLength = 5
/** Prefixes of generated names are cut so that the whole name fits a DNS label. */
const generatedPrefixBytesMax = dnsLabelBytesMax - suffixLength
/** No vowels and no digits that look like letters, so that no word appears. */
const safeCharacters = 'bcdfghjklmnpqrstvwxz2456789'

const dnsLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dnsLabelPattern = new RegExp(`^${dnsLabel}$`)
const dnsSubdomainPattern = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`)
const dns1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const qualifiedPartPattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const configKeyPattern = /^[-._a-zA-Z0-9]+$/
const envNamePattern = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const portNamePattern = /^[-a-z0-9]+$/

const lengthProblem = (text: string, bytesMax: number): string[] =>
  text.length > bytesMax ? [`must be no more than ${bytesMax} bytes`] : []

export const dns1123LabelProblems = (name: string): string[] => [
  ...lengthProblem(name, dnsLabelBytesMax),
  ...(dnsLabelPattern.test(name)
    ? []
    : [
        `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${dnsLabel}')`,
      ]),
]

export const dns1123SubdomainProblems = (name: string): string[] => [
  ...lengthProblem(name, dnsSubdomainBytesMax),
  ...(dnsSubdomainPattern.test(name)
    ? []
    : [
        `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${dnsLabel}(\\.${dnsLabel})*')`,
      ]),
]

export const dns1035LabelProblems = (name: string): string[] => [
  ...lengthProblem(name, dnsLabelBytesMax),
  ...(dns1035Pattern.test(name)
    ? []
    : [
        `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
      ]),
]

/** Names that need only fit into a path: `system:node`. */
export const pathSegmentProblems = (name: string): string[] => {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`)
}

/** Keys of labels and annotations, resource names: an optional DNS subdomain, `/`, and a name. */
export const qualifiedNameProblems = (text: string): string[] => {
  const parts = text.split('/')
  if (parts.length > 2) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const prefix = parts.length === 2 ? parts[0] : undefined
  const name = parts.at(-1) ?? ''
  return [
    ...(prefix === undefined ? [] : prefixProblems(prefix)),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...lengthProblem(name, labelPartBytesMax).map((problem) => `name part ${problem}`),
    ...(name !== '' && qualifiedPartPattern.test(name)
      ? []
      : [
          `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
        ]),
  ]
}

const prefixProblems = (prefix: string): string[] =>
  prefix === ''
    ? ['prefix part must be non-empty']
    : dns1123SubdomainProblems(prefix).map((problem) => `prefix part ${problem}`)

export const labelValueProblems = (value: string): string[] => [
  ...lengthProblem(value, labelPartBytesMax),
  ...(labelValuePattern.test(value)
    ? []
    : [
        `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      ]),
]

/** Keys of ConfigMaps and Secrets: they become file names. */
export const configKeyProblems = (key: string): string[] => [
  ...lengthProblem(key, dnsSubdomainBytesMax),
  ...(configKeyPattern.test(key)
    ? []
    : [
        `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      ]),
  ...(key === '.' ? [`must not be '.'`] : []),
  ...(key === '..' ? [`must not be '..'`] : []),
  ...(key.startsWith('..') && key !== '..' ? [`must not start with '..'`] : []),
]

export const envNameProblems = (name: string): string[] =>
  envNamePattern.test(name)
    ? []
    : [
        `a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
      ]

/** Names of ports (IANA service names). */
export const portNameProblems = (name: string): string[] => [
  ...(name.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(portNamePattern.test(name)
    ? []
    : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(name) ? [] : ['must contain at least one letter (a-z)']),
  ...(name.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(name.startsWith('-') || name.endsWith('-') ? ['must not begin or end with a hyphen'] : []),
]

export const portNumberProblems = (port: number): string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535
    ? []
    : ['must be between 1 and 65535, inclusive']

/** The name for `generateName`: the prefix and five characters chosen by `random`, which returns numbers in [0, 1). */
export const generateName = (prefix: string, random: () => number): string => {
  let name = prefix.slice(0, generatedPrefixBytesMax)
  for (let count = 0; count < suffixLength; count++) {
    name += safeCharacters.charAt(Math.floor(random() * safeCharacters.length))
  }
  return name
}

/** Writes text in the characters of generated names, so that a hash can be part of a name. */
export const safeEncode = (text: string): string =>
  Array.from(text, (character) =>
    safeCharacters.charAt((character.codePointAt(0) ?? 0) % safeCharacters.length),
  ).join('')
