// One rule of a role, compiled for the question that every request asks: does it allow this?
import type { PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import type { AccessAttributes } from '../authorizer.ts'

export type RuleMatcher = (attributes: AccessAttributes) => boolean

const none: readonly string[] = []

export const compileRule = (rule: PolicyRule): RuleMatcher => {
  const verbs = matcher(rule.verbs)
  const groups = matcher(rule.apiGroups ?? none)
  const resources = rule.resources ?? none
  const anyResource = resources.includes('*')
  const resourceSet = new Set(resources)
  const names = rule.resourceNames ?? none
  const urls = rule.nonResourceURLs ?? none
  const isResource = (resource: string, subresource: string): boolean =>
    anyResource ||
    (subresource === ''
      ? resourceSet.has(resource)
      : resourceSet.has(`${resource}/${subresource}`) || resourceSet.has(`*/${subresource}`))
  return (attributes) => {
    if (!verbs(attributes.verb)) return false
    if (!attributes.isResource) return urls.some((url) => matchesUrl(url, attributes.path))
    return (
      groups(attributes.group) &&
      isResource(attributes.resource, attributes.subresource) &&
      (names.length === 0 || (attributes.name !== '' && names.includes(attributes.name)))
    )
  }
}

const matcher = (list: readonly string[]): ((value: string) => boolean) => {
  if (list.includes('*')) return () => true
  const [only] = list
  return list.length === 1 ? (value) => value === only : (value) => list.includes(value)
}

const matchesUrl = (url: string, path: string): boolean =>
  url === path || url === '*' || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
