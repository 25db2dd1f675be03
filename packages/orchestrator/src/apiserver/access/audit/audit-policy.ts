// An audit policy (audit.k8s.io/v1 Policy): how much of which requests is written down. The first rule that matches decides.
import { readFile } from 'node:fs/promises'
import { yaml } from '../../../client/yaml.ts'
import type { AccessAttributes } from '../authorizer.ts'

export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type AuditLevel = (typeof auditLevels)[number]
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'

export interface AuditRule {
  readonly level: AuditLevel
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly {
    readonly group?: string
    readonly resources?: readonly string[]
    readonly resourceNames?: readonly string[]
  }[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly AuditStage[]
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[]
  readonly omitStages?: readonly AuditStage[]
}

export interface AuditDecision {
  readonly level: AuditLevel
  readonly omitStages: readonly AuditStage[]
}

const notAudited: AuditDecision = { level: 'None', omitStages: [] }

/** Rejects with a text that names the file when it is no policy. */
export const openAuditPolicy = async (path: string): Promise<AuditPolicy> => {
  const value: unknown = yaml().parse(await readFile(path, 'utf8'))
  const policy = value as (AuditPolicy & { readonly kind?: string }) | null
  const isPolicy =
    policy?.kind === 'Policy' &&
    Array.isArray(policy.rules) &&
    policy.rules.every((rule: AuditRule) => auditLevels.includes(rule.level))
  if (!isPolicy) {
    throw new Error(
      `--audit-policy-file ${path} is no audit policy: it needs kind: Policy and rules with levels ${auditLevels.join(', ')}`,
    )
  }
  return policy
}

export const auditDecision = (policy: AuditPolicy, attributes: AccessAttributes): AuditDecision => {
  const rule = policy.rules.find((one) => matchesRule(one, attributes))
  if (rule === undefined) return notAudited
  const omitStages = [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]
  return { level: rule.level, omitStages }
}

const isAny = (list: readonly string[] | undefined): boolean =>
  list === undefined || list.length === 0

const matchesRule = (rule: AuditRule, attributes: AccessAttributes): boolean => {
  const { user, verb } = attributes
  if (!isAny(rule.users) && rule.users?.includes(user.name) !== true) return false
  if (!isAny(rule.userGroups) && !user.groups.some((one) => rule.userGroups?.includes(one))) {
    return false
  }
  if (!isAny(rule.verbs) && rule.verbs?.includes(verb) !== true) return false
  const isAboutAll = rule.resources === undefined && isAny(rule.namespaces)
  if (isAny(rule.nonResourceURLs) && isAboutAll) return true
  return attributes.isResource
    ? matchesResource(rule, attributes)
    : (rule.nonResourceURLs ?? []).some((url) => matchesUrl(url, attributes.path))
}

const matchesResource = (rule: AuditRule, attributes: AccessAttributes): boolean => {
  if (!isAny(rule.nonResourceURLs)) return false
  const { group, resource, subresource, namespace, name } = attributes
  if (!isAny(rule.namespaces) && rule.namespaces?.includes(namespace) !== true) return false
  if (rule.resources === undefined || rule.resources.length === 0) return true
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const names = new Set(['*', full, `${resource}/*`, `*/${subresource}`])
  return rule.resources.some(
    (one) =>
      (one.group ?? '') === group &&
      (isAny(one.resources) || (one.resources ?? []).some((wanted) => names.has(wanted))) &&
      (isAny(one.resourceNames) || one.resourceNames?.includes(name) === true),
  )
}

const matchesUrl = (url: string, path: string): boolean =>
  url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
