// The flags of `balsa up` about who is let in and what is written down of requests; named as kube-apiserver's.
import { type Command, InvalidArgumentError } from 'commander'
import type { AccessOptions } from '../apiserver/access/access-control.ts'

export interface AccessFlags {
  readonly anonymousAuth: string
  readonly tokenAuthFile?: string
  readonly oidcIssuerUrl?: string
  readonly oidcClientId?: string
  readonly oidcUsernameClaim?: string
  readonly oidcUsernamePrefix?: string
  readonly oidcGroupsClaim?: string
  readonly oidcGroupsPrefix?: string
  readonly auditPolicyFile?: string
  readonly auditLogPath?: string
  readonly auditLogMaxsize?: number
  readonly auditLogMaxbackup?: number
}

const parseWhole = (text: string): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1')
  return number
}

export const addAccessFlags = (command: Command): Command =>
  command
    .option(
      '--anonymous-auth <bool>',
      'answer requests without credentials as system:anonymous',
      'true',
    )
    .option('--token-auth-file <file>', 'bearer tokens: TOKEN,USER,UID,"GROUP,GROUP" a line')
    .option('--oidc-issuer-url <url>', 'believe the ID tokens of this OpenID Connect provider')
    .option('--oidc-client-id <id>', 'whom its tokens must be for')
    .option('--oidc-username-claim <claim>', 'the claim that names the user; sub unless given')
    .option('--oidc-username-prefix <text>', 'put before names of users; - for nothing')
    .option('--oidc-groups-claim <claim>', 'the claim that names the groups')
    .option('--oidc-groups-prefix <text>', 'put before names of groups')
    .option(
      '--audit-policy-file <file>',
      'an audit policy: how much of which requests is written down',
    )
    .option('--audit-log-path <file>', 'where it is written, as JSON lines')
    .option('--audit-log-maxsize <megabytes>', 'begin another file at this size', parseWhole)
    .option('--audit-log-maxbackup <n>', 'files that are kept', parseWhole)

/** Throws a text that names the flag that is missing. */
export const accessOptions = (flags: AccessFlags): AccessOptions => ({
  anonymous: flags.anonymousAuth !== 'false',
  ...(flags.tokenAuthFile === undefined ? {} : { tokenFile: flags.tokenAuthFile }),
  ...oidcOptions(flags),
  ...auditOptions(flags),
})

const oidcOptions = (flags: AccessFlags): Pick<AccessOptions, 'oidc'> => {
  const { oidcIssuerUrl: issuerUrl, oidcClientId: clientId } = flags
  if (issuerUrl === undefined && clientId === undefined) return {}
  if (issuerUrl === undefined) throw new Error('--oidc-client-id needs --oidc-issuer-url')
  if (clientId === undefined) throw new Error('--oidc-issuer-url needs --oidc-client-id')
  return {
    oidc: {
      issuerUrl,
      clientId,
      ...given('usernameClaim', flags.oidcUsernameClaim),
      ...given('usernamePrefix', flags.oidcUsernamePrefix),
      ...given('groupsClaim', flags.oidcGroupsClaim),
      ...given('groupsPrefix', flags.oidcGroupsPrefix),
    },
  }
}

const auditOptions = (flags: AccessFlags): Pick<AccessOptions, 'audit'> => {
  const { auditPolicyFile: policyFile, auditLogPath: logPath } = flags
  if (policyFile === undefined && logPath === undefined) return {}
  if (policyFile === undefined) throw new Error('--audit-log-path needs --audit-policy-file')
  if (logPath === undefined) throw new Error('--audit-policy-file needs --audit-log-path')
  const { auditLogMaxsize: megabytes } = flags
  return {
    audit: {
      policyFile,
      logPath,
      ...given('sizeBytesMax', megabytes === undefined ? undefined : megabytes * 1024 * 1024),
      ...given('backupsMax', flags.auditLogMaxbackup),
    },
  }
}

const given = <Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [key in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]: Value })
