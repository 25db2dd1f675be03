// MatchResources: which requests a policy or a binding of it is about.
import type { FieldError, LabelSelector } from '../object.ts'
import { duplicate, invalidEach, oneOf } from '../validation/field-error.ts'
import { pathSegmentProblems } from '../names.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { type RequestRule, validateRule } from './webhook-configuration.ts'

export interface NamedRequestRule extends RequestRule {
  readonly resourceNames?: readonly string[]
}
export interface MatchResources {
  readonly resourceRules?: readonly NamedRequestRule[]
  readonly excludeResourceRules?: readonly NamedRequestRule[]
  readonly matchPolicy?: string
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
}

export const matchResourcesDefaults = (match: MatchResources): MatchResources => ({
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  ...match,
  ...rulesDefaults('resourceRules', match.resourceRules),
  ...rulesDefaults('excludeResourceRules', match.excludeResourceRules),
})

const rulesDefaults = (
  member: 'resourceRules' | 'excludeResourceRules',
  rules: readonly NamedRequestRule[] | undefined,
): Pick<MatchResources, typeof member> =>
  rules === undefined ? {} : { [member]: rules.map((rule) => ({ scope: '*', ...rule })) }

export const validateMatchResources = (match: MatchResources, field: string): FieldError[] => {
  const errors = oneOf(`${field}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact'])
  for (const member of ['namespaceSelector', 'objectSelector'] as const) {
    errors.push(...validateLabelSelector(`${field}.${member}`, match[member] ?? {}))
  }
  for (const member of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [index, rule] of (match[member] ?? []).entries()) {
      errors.push(...validateNamedRule(rule, `${field}.${member}[${index}]`))
    }
  }
  return errors
}

const validateNamedRule = (rule: NamedRequestRule, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const names = rule.resourceNames ?? []
  for (const [index, name] of names.entries()) {
    const at = `${field}.resourceNames[${index}]`
    errors.push(...invalidEach(at, name, pathSegmentProblems(name)))
    if (names.indexOf(name) < index) errors.push(duplicate(at, name))
  }
  return [...errors, ...validateRule(rule, field)]
}
