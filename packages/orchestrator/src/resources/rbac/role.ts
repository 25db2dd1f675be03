// Role and ClusterRole: rules that bindings give to users. A ClusterRole may be put together from others by their labels.
import { column, nameColumn } from '../columns.ts'
import { jsonEqual } from '../json-equal.ts'
import { matchesSelector } from '../label-selector.ts'
import { pathSegmentProblems } from '../names.ts'
import type { FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import { required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { type PolicyRule, rbacGroup, validateRules } from './policy-rule.ts'

export interface Role extends KubeObject {
  readonly rules?: readonly PolicyRule[]
}

export interface ClusterRole extends Role {
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] }
}

const columns = [
  nameColumn,
  { ...column('Created At', 'When the role was created.'), format: 'date-time' },
]

const shared = {
  group: rbacGroup,
  version: 'v1',
  shortNames: [],
  categories: [],
  verbs: allVerbs,
  subresources: {},
  columns,
} as const

const cells = (object: KubeObject): string[] => [
  object.metadata.name ?? '',
  object.metadata.creationTimestamp ?? '',
]

/** kubectl shows an empty list, as upstream's servers do. */
const withRules = <T extends Role>(object: T): T =>
  object.rules === undefined ? { ...object, rules: [] } : object

export const roleType: ResourceType<Role> = {
  ...shared,
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  defaults: withRules,
  validate: (object) => [
    ...validateMetadata(object.metadata, pathSegmentProblems),
    ...validateRules(object.rules, true),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  cells,
}

export const clusterRoleType: ResourceType<ClusterRole> = {
  ...shared,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  defaults: withRules,
  validate: (object) => [
    ...validateMetadata(object.metadata, pathSegmentProblems),
    ...validateRules(object.rules, false),
    ...validateAggregation(object),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  cells,
}

const validateAggregation = ({ aggregationRule }: ClusterRole): FieldError[] =>
  aggregationRule === undefined || (aggregationRule.clusterRoleSelectors ?? []).length > 0
    ? []
    : [
        required(
          'aggregationRule.clusterRoleSelectors',
          'at least one clusterRoleSelector required if aggregationRule is non-nil',
        ),
      ]

/** The rules that an aggregated ClusterRole should have, from all ClusterRoles; in the order of their names, each rule once. */
export const aggregatedRules = (
  role: ClusterRole,
  all: readonly ClusterRole[],
): readonly PolicyRule[] => {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? []
  const rules: PolicyRule[] = []
  for (const other of all.toSorted(byName)) {
    if (other.metadata.name === role.metadata.name) continue
    if (!selectors.some((selector) => matchesSelector(selector, other.metadata.labels))) continue
    for (const rule of other.rules ?? []) {
      if (!rules.some((present) => jsonEqual(present, rule))) rules.push(rule)
    }
  }
  return rules
}

const byName = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
