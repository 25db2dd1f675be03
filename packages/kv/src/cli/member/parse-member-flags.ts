// Reads etcd's command line and ETCD_ variables into the options of openMember. A flag beats its variable. What is wrong is one line that
// names the flag.
import { join } from 'node:path'
import type { MemberOptions } from '../../member/member-options.ts'
import type { PeerTlsFiles } from '../../member/peer-tls-files.ts'
import { memberFlags } from './member-flags.ts'
import type { MemberFlag } from './member-flags.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

export interface MemberSettings {
  readonly options: MemberOptions & {
    readonly dataDir: string
    readonly listenClientUrls: readonly string[]
    readonly listenPeerUrls: readonly string[]
  }
  /** `existing`: the data directory must hold the member already. */
  readonly clusterState: 'new' | 'existing'
  /** Of --force-new-cluster: the cluster id as confirmation, or 'true' to ask what would be done. */
  readonly forceNewCluster: string | undefined
  readonly logLevel: LogLevel
  readonly warnings: readonly string[]
}

/** The message is for a person and names the flag or variable. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

interface Given {
  readonly text: string
  /** As it was written: `--name` or ETCD_NAME. */
  readonly as: string
}

export function parseMemberFlags(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MemberSettings {
  const given = new Map<string, Given>()
  const warnings = readVariables(env, given)
  readArguments(argv, given)
  for (const [name, { as, text }] of given) {
    const flag = memberFlags.get(name)
    if (flag?.effect === 'ignored') warnings.push(`${as} has no effect yet`)
    if (flag?.effect === 'refused' && text !== 'false' && text !== '') {
      throw new FlagError(`${as} cannot be used: ${flag.text}`)
    }
  }
  return { ...settingsOf(given), warnings }
}

function readVariables(
  env: Readonly<Record<string, string | undefined>>,
  given: Map<string, Given>,
): string[] {
  const warnings: string[] = []
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('ETCD_') || text === undefined) continue
    const name = variable.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-')
    if (memberFlags.has(name)) given.set(name, { text, as: variable })
    else warnings.push(`${variable} is not a variable of etcd and has no effect`)
  }
  return warnings
}

function readArguments(argv: readonly string[], given: Map<string, Given>): void {
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word)
    const flag = match?.[1] === undefined ? undefined : memberFlags.get(match[1])
    if (match === null) throw new FlagError(`'${word}' is not a flag; see balsa member --help`)
    if (flag === undefined) {
      throw new FlagError(`unknown flag --${match[1]}; see balsa member --help`)
    }
    given.set(flag.name, { text: valueOf(flag, match[2], rest), as: `--${flag.name}` })
  }
}

function valueOf(flag: MemberFlag, inline: string | undefined, rest: string[]): string {
  if (inline !== undefined) return inline
  if (flag.value === 'boolean') return 'true'
  const next = rest.shift()
  if (next === undefined) throw new FlagError(`--${flag.name} needs a value`)
  return next
}

function settingsOf(given: ReadonlyMap<string, Given>): Omit<MemberSettings, 'warnings'> {
  const text = (name: string): string | undefined => given.get(name)?.text
  const name = text('name') ?? 'default'
  const listenPeerUrls = urls(given, 'listen-peer-urls') ?? ['http://localhost:2380']
  const optional = {
    advertiseClientUrls: urls(given, 'advertise-client-urls'),
    initialAdvertisePeerUrls: urls(given, 'initial-advertise-peer-urls'),
    initialCluster: text('initial-cluster'),
    initialClusterToken: text('initial-cluster-token'),
    heartbeatIntervalMs: positive(given, 'heartbeat-interval'),
    electionTimeoutMs: positive(given, 'election-timeout'),
    snapshotCount: positive(given, 'snapshot-count'),
    peerTls: peerTls(given),
  }
  return {
    options: {
      name,
      dataDir: text('data-dir') ?? join('.', `${name}.etcd`),
      listenClientUrls: urls(given, 'listen-client-urls') ?? ['http://localhost:2379'],
      listenPeerUrls,
      ...withoutUndefined(optional),
    },
    clusterState: oneOf(given, 'initial-cluster-state', ['new', 'existing']) ?? 'new',
    forceNewCluster: switchText(given, 'force-new-cluster'),
    logLevel: oneOf(given, 'log-level', logLevels) ?? 'info',
  }
}

function urls(given: ReadonlyMap<string, Given>, name: string): string[] | undefined {
  const found = given.get(name)
  if (found === undefined) return undefined
  const list = found.text.split(',').map((url) => url.trim())
  for (const url of list) {
    if (!isListenUrl(url)) {
      throw new FlagError(`${found.as} has '${url}'; it must look like http://127.0.0.1:2379`)
    }
    if (url.startsWith('https:') && name.includes('client')) {
      throw new FlagError(`${found.as} has '${url}': TLS is not served yet; use http`)
    }
  }
  return list
}

const peerFiles = ['peer-cert-file', 'peer-key-file', 'peer-trusted-ca-file'] as const

/** All three files or none; then certificates are asked for, whether --peer-client-cert-auth says so or not. */
function peerTls(given: ReadonlyMap<string, Given>): PeerTlsFiles | undefined {
  const text = (name: string): string | undefined => given.get(name)?.text
  const [certFile, keyFile, trustedCaFile] = peerFiles.map(text)
  const allowedNames = [text('peer-cert-allowed-cn'), text('peer-cert-allowed-hostname')].filter(
    (name) => name !== undefined,
  )
  const wanted = [...given.keys()].find((name) => name.startsWith('peer-'))
  if (wanted === undefined || (wanted === 'peer-client-cert-auth' && text(wanted) === 'false')) {
    return undefined
  }
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined) {
    const missing = peerFiles.filter((name) => !given.has(name)).map((name) => `--${name}`)
    throw new FlagError(`${given.get(wanted)?.as ?? wanted} also needs ${missing.join(' and ')}`)
  }
  const switched = given.get('peer-client-cert-auth')
  if (switched?.text === 'false') {
    throw new FlagError(
      `${switched.as} is false, but members always show certificates to each other`,
    )
  }
  const files = { certFile, keyFile, trustedCaFile }
  return allowedNames.length === 0 ? files : { ...files, allowedNames }
}

function isListenUrl(url: string): boolean {
  if (!/^https?:\/\/[^/]+:\d+$/.test(url) || !URL.canParse(url)) return false
  const { pathname, search } = new URL(url)
  return pathname === '/' && search === ''
}

function positive(given: ReadonlyMap<string, Given>, name: string): number | undefined {
  const found = given.get(name)
  if (found === undefined) return undefined
  const value = Number(found.text)
  if (Number.isSafeInteger(value) && value > 0 && found.text.trim() !== '') return value
  throw new FlagError(`${found.as} is '${found.text}'; it must be a positive whole number`)
}

/** Undefined if it is off. */
function switchText(given: ReadonlyMap<string, Given>, name: string): string | undefined {
  const text = given.get(name)?.text
  return text === 'false' || text === '' ? undefined : text
}

function oneOf<Text extends string>(
  given: ReadonlyMap<string, Given>,
  name: string,
  choices: readonly Text[],
): Text | undefined {
  const found = given.get(name)
  if (found === undefined) return undefined
  const choice = choices.find((text) => text === found.text)
  if (choice !== undefined) return choice
  throw new FlagError(`${found.as} is '${found.text}'; it must be one of ${choices.join(', ')}`)
}

function withoutUndefined<T extends object>(
  object: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}
