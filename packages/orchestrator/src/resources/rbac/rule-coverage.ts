// Whether some rules allow all that others allow: nobody may give away rights that he has not. A rule is broken into its single
// permissions, each of which one rule of the owner must cover.
import type { PolicyRule } from './policy-rule.ts'

const none: readonly string[] = []

/** The permissions of `wanted` that no rule of `owned` covers; those of one resource put together. */
export const uncoveredRules = (
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] =>
  compactRules(
    wanted.flatMap(singleRules).filter((one) => !owned.some((rule) => ruleCovers(rule, one))),
  )

const singleRules = (rule: PolicyRule): PolicyRule[] => {
  const singles: PolicyRule[] = []
  const names: readonly (string | undefined)[] =
    (rule.resourceNames ?? none).length === 0 ? [undefined] : (rule.resourceNames ?? none)
  for (const apiGroup of rule.apiGroups ?? none) {
    for (const resource of rule.resources ?? none) {
      for (const verb of rule.verbs) {
        for (const name of names) {
          singles.push({
            verbs: [verb],
            apiGroups: [apiGroup],
            resources: [resource],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          })
        }
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? none) {
    for (const verb of rule.verbs) singles.push({ verbs: [verb], nonResourceURLs: [url] })
  }
  return singles
}

const hasAll = (list: readonly string[], wanted: readonly string[]): boolean =>
  list.includes('*') || wanted.every((one) => list.includes(one))

const ruleCovers = (owner: PolicyRule, wanted: PolicyRule): boolean => {
  const names = owner.resourceNames ?? none
  return (
    hasAll(owner.verbs, wanted.verbs) &&
    hasAll(owner.apiGroups ?? none, wanted.apiGroups ?? none) &&
    (wanted.resources ?? none).every((one) => coversResource(owner.resources ?? none, one)) &&
    (wanted.nonResourceURLs ?? none).every((one) =>
      coversUrl(owner.nonResourceURLs ?? none, one),
    ) &&
    (names.length === 0 ||
      ((wanted.resourceNames ?? none).length > 0 && hasNames(names, wanted.resourceNames ?? none)))
  )
}

const hasNames = (names: readonly string[], wanted: readonly string[]): boolean =>
  wanted.every((one) => names.includes(one))

const coversResource = (resources: readonly string[], wanted: string): boolean => {
  if (resources.includes('*') || resources.includes(wanted)) return true
  const slash = wanted.indexOf('/')
  return slash !== -1 && resources.includes(`*${wanted.slice(slash)}`)
}

const coversUrl = (urls: readonly string[], wanted: string): boolean =>
  urls.some((url) => url === wanted || (url.endsWith('*') && wanted.startsWith(url.slice(0, -1))))

/** Rules that differ in nothing but their verbs become one. */
export const compactRules = (rules: readonly PolicyRule[]): PolicyRule[] => {
  const byTarget = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const { verbs, ...target } = rule
    const key = JSON.stringify([
      target.apiGroups,
      target.resources,
      target.resourceNames,
      target.nonResourceURLs,
    ])
    const present = byTarget.get(key)
    const all = new Set([...(present?.verbs ?? []), ...verbs])
    byTarget.set(key, { ...target, verbs: [...all] })
  }
  return [...byTarget.values()]
}
