// From etcd's command line, ETCD_ variables and configuration file to the options of openMember. What is wrong is one line that names the
// flag. As in etcd a configuration file stands alone; else a flag beats its variable.
import { join } from 'node:path'
import type { MemberOptions } from '../../member/member-options.ts'
import type { PeerTlsFiles } from '../../member/peer-tls-files.ts'
import type { CommandSettings, DiscoverySettings } from './flags/command-settings.ts'
import type { FlagTargets } from './flags/flag-row.ts'
import { logRotationDefault } from './flags/operation-group.ts'
import {
  addVariables,
  configFileFlag,
  FlagError,
  readArguments,
  type Environment,
  type Given,
} from './given-flags.ts'
import { memberFlags } from './member-flags.ts'
import { readConfigFile } from './read-config-file.ts'

export interface MemberSettings extends CommandSettings {
  readonly discovery: DiscoverySettings
  readonly options: MemberOptions & {
    readonly dataDir: string
    readonly listenClientUrls: readonly string[]
    readonly listenPeerUrls: readonly string[]
  }
  readonly warnings: readonly string[]
}

type GivenFlags = ReadonlyMap<string, Given>

export function parseMemberFlags(argv: readonly string[], env: Environment): MemberSettings {
  const { given, warnings } = readGiven(argv, env)
  const targets: FlagTargets = {
    options: {},
    command: {},
    clientTls: {},
    peerTls: {},
    discovery: {},
  }
  for (const [name, { as, text }] of given) {
    const flag = memberFlags.get(name)
    const isDefault = flag?.isInert === true && text === flag.fallback
    if (flag?.warning !== undefined && !isDefault) warnings.push(`${as} ${flag.warning}`)
    if (flag?.refusal !== undefined && !['', 'false', 'off'].includes(text)) {
      throw new FlagError(`${as} cannot be used: ${flag.refusal}`)
    }
    const put = flag?.newName === undefined ? flag?.put : memberFlags.get(flag.newName)?.put
    const mustBe = put?.(text, targets)
    if (mustBe !== undefined) throw new FlagError(`${as} is '${text}'; it must be ${mustBe}`)
  }
  return { ...settingsOf(targets, given), warnings }
}

function readGiven(
  argv: readonly string[],
  env: Environment,
): { readonly given: GivenFlags; readonly warnings: string[] } {
  const given = readArguments(argv)
  const path = given.get(configFileFlag)?.text ?? env['ETCD_CONFIG_FILE'] ?? ''
  given.delete(configFileFlag)
  if (path === '') return { given, warnings: addVariables(given, env) }
  const file = readConfigFile(path)
  const notice = `Loading server configuration from "${path}". Other configuration command line flags and environment variables will be ignored if provided.`
  return { given: file.given, warnings: [notice, ...file.warnings] }
}

function settingsOf(targets: FlagTargets, given: GivenFlags): Omit<MemberSettings, 'warnings'> {
  const { options, command, clientTls } = targets
  const name = options.name ?? 'default'
  const tls = peerTlsFiles(targets, given)
  return {
    options: {
      ...options,
      name,
      dataDir: options.dataDir ?? join('.', `${name}.etcd`),
      listenClientUrls: options.listenClientUrls ?? ['http://localhost:2379'],
      listenPeerUrls: options.listenPeerUrls ?? ['http://localhost:2380'],
      ...(Object.keys(clientTls).length === 0 ? {} : { clientTls }),
      ...(tls === undefined ? {} : { peerTls: tls }),
    },
    discovery: targets.discovery,
    forceNewCluster: command.forceNewCluster,
    logLevel: command.logLevel ?? 'info',
    logFormat: command.logFormat ?? 'json',
    logOutputs: command.logOutputs ?? ['default'],
    enableLogRotation: command.enableLogRotation ?? false,
    logRotationConfig: command.logRotationConfig ?? logRotationDefault,
  }
}

/** Files, or nothing. Suites and versions are those of the client ports. */
function peerTlsFiles(
  { peerTls, clientTls }: FlagTargets,
  given: GivenFlags,
): PeerTlsFiles | undefined {
  const { certFile, keyFile, ...rules } = peerTls
  const wanted = [...given.keys()].find(
    (name) => name.startsWith('peer-') && name !== 'peer-auto-tls',
  )
  const isOff = wanted === 'peer-client-cert-auth' && rules.clientCertAuth === false
  if (wanted === undefined || isOff) return undefined
  if (certFile === undefined || keyFile === undefined) {
    const missing = ['peer-cert-file', 'peer-key-file'].filter((name) => !given.has(name))
    const text = missing.map((name) => `--${name}`).join(' and ')
    throw new FlagError(`${given.get(wanted)?.as ?? wanted} also needs ${text}`)
  }
  const { cipherSuites, minVersion, maxVersion } = clientTls
  return {
    certFile,
    keyFile,
    ...rules,
    ...(cipherSuites === undefined ? {} : { cipherSuites }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}
