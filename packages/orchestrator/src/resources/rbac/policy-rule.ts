// What a role allows: verbs on resources, or on paths that are no resources. Checked as upstream's rbac validation does.
import type { FieldError } from '../object.ts'
import { invalid, required } from '../validation/field-error.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'

/** `*` stands for all of its kind. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  /** `pods`, `pods/log`, `*` + `/scale`. */
  readonly resources?: readonly string[]
  /** Left out: every name. */
  readonly resourceNames?: readonly string[]
  /** A `*` at the end stands for any rest. */
  readonly nonResourceURLs?: readonly string[]
}

const count = (list: readonly string[] | undefined): number => list?.length ?? 0

export const validateRules = (
  rules: readonly PolicyRule[] | undefined,
  isNamespaced: boolean,
): FieldError[] =>
  (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, isNamespaced))

const validateRule = (rule: PolicyRule, path: string, isNamespaced: boolean): FieldError[] => {
  const problems =
    count(rule.verbs) === 0
      ? [required(`${path}.verbs`, 'verbs must contain at least one value')]
      : []
  if (count(rule.nonResourceURLs) > 0) {
    const refuse = (why: string): FieldError =>
      invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, why)
    if (isNamespaced) problems.push(refuse('namespaced rules cannot apply to non-resource URLs'))
    if (count(rule.apiGroups) + count(rule.resources) + count(rule.resourceNames) > 0) {
      problems.push(refuse('rules cannot apply to both regular resources and non-resource URLs'))
    }
    return problems
  }
  if (count(rule.apiGroups) === 0) {
    const detail = 'resource rules must supply at least one api group'
    problems.push(required(`${path}.apiGroups`, detail))
  }
  if (count(rule.resources) === 0) {
    const detail = 'resource rules must supply at least one resource'
    problems.push(required(`${path}.resources`, detail))
  }
  return problems
}

/** As upstream writes rules in messages: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export const ruleText = (rule: PolicyRule): string => {
  const parts: (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const texts = parts
    .filter(([, list]) => count(list) > 0)
    .map(([name, list]) => `${name}:${goList(list ?? [])}`)
  return `{${texts.join(', ')}}`
}

/** `["a" "b"]`: how Go prints a list of texts. */
export const goList = (list: readonly string[]): string =>
  `[${list.map((text) => JSON.stringify(text)).join(' ')}]`
