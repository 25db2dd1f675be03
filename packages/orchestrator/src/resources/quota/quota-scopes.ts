// Which scopes a quota may have, and of which resources each can tell what is in it: of pods and what they use.
import type { FieldError } from '../object.ts'
import { invalid } from '../validation/field-error.ts'
import type { ResourceQuota } from './resource-quota.ts'

const scopeNames: ReadonlySet<string> = new Set([
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
])
const conflicting = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
] as const
const ofPods: ReadonlySet<string> = new Set([
  'cpu',
  'limits.cpu',
  'limits.memory',
  'memory',
  'pods',
  'requests.cpu',
  'requests.memory',
])
/** The names that a quota knows itself and that are not of pods: of any other name a scope may be said. */
const ofOthers: ReadonlySet<string> = new Set([
  'configmaps',
  'ephemeral-storage',
  'limits.ephemeral-storage',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'requests.ephemeral-storage',
  'requests.storage',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
])

export const isScope = (name: string): boolean => scopeNames.has(name)

/** Of `scopes` and `scopeSelector`: unknown ones of the former, what does not fit the keys, and what excludes each other. */
export function validateQuotaScopes(spec: ResourceQuota['spec']): FieldError[] {
  const { hard = {}, scopes = [], scopeSelector } = spec
  const keys = Object.keys(hard)
  const selected = (scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName)
  return [
    ...scopes
      .filter((scope) => !isScope(scope))
      .map(() => invalid('spec.scopes', scopes, 'unsupported scope')),
    ...problems(scopes, keys).map((text) => invalid('spec.scopes', scopes, text)),
    ...problems(selected, keys).map((text) =>
      invalid('spec.scopeSelector.matchExpressions', scopeSelector, text),
    ),
  ]
}

const problems = (scopes: readonly string[], keys: readonly string[]): string[] => [
  ...scopes.flatMap((scope) =>
    keys.filter((key) => !fits(scope, key)).map(() => 'unsupported scope applied to resource'),
  ),
  ...conflicting
    .filter((pair) => pair.every((scope) => scopes.includes(scope)))
    .map(() => 'conflicting scopes'),
]

const fits = (scope: string, key: string): boolean => {
  if (!isScope(scope)) return true
  return scope === 'BestEffort'
    ? key === 'pods' || !(ofPods.has(key) || ofOthers.has(key))
    : !ofOthers.has(key)
}
