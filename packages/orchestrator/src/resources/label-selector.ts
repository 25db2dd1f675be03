// Label selectors in both forms: the object of specs (matchLabels, matchExpressions) and the requirements that a selector text
// parses to. A selector without requirements selects everything; what an absent selector means is the caller's to say.
import type { LabelSelector } from './object.ts'

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
/** One condition on one label. All requirements of a selector must hold. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}
export type Labels = Readonly<Record<string, string>>

export const matchesRequirements = (
  requirements: readonly LabelRequirement[],
  labels: Labels | undefined,
): boolean => requirements.every((requirement) => matchesRequirement(requirement, labels))

/** Whether `selector` selects an object with `labels`; an empty selector selects everything. */
export const matchesSelector = (selector: LabelSelector, labels: Labels | undefined): boolean =>
  selectorMatcher(selector)(labels)

/** The same question for many objects: the selector is looked at once. */
export const selectorMatcher = (
  selector: LabelSelector,
): ((labels: Labels | undefined) => boolean) => {
  const requirements = selectorRequirements({ matchExpressions: selector.matchExpressions ?? [] })
  const pairs = Object.entries(selector.matchLabels ?? {})
  return (labels) => {
    for (const [key, value] of pairs) if (labels?.[key] !== value) return false
    return requirements.length === 0 || matchesRequirements(requirements, labels)
  }
}

const selectorRequirements = (selector: LabelSelector): LabelRequirement[] => [
  ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): LabelRequirement => ({
    key,
    operator: 'in',
    values: [value],
  })),
  ...(selector.matchExpressions ?? []).map((expression): LabelRequirement => ({
    key: expression.key,
    operator: expressionOperators[expression.operator],
    values: expression.values ?? [],
  })),
]

/** The text of a selector as it stands in `?labelSelector=` and in status.selector of Scale; '' selects everything. */
export const formatSelector = (selector: LabelSelector): string => {
  const labels = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }),
  )
  const expressions = selectorRequirements({ matchExpressions: selector.matchExpressions ?? [] })
  return [...labels, ...expressions]
    .toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(formatRequirement)
    .join(',')
}

const expressionOperators = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
} as const

const matchesRequirement = (requirement: LabelRequirement, labels: Labels | undefined): boolean => {
  const { key, operator, values } = requirement
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
      return value !== undefined && compareIntegers(value, values[0] ?? '') > 0
    case 'lt':
      return value !== undefined && compareIntegers(value, values[0] ?? '') < 0
  }
}

/** NaN, and so no match, when a label is no integer. */
const compareIntegers = (left: string, right: string): number => {
  const pattern = /^[+-]?[0-9]{1,18}$/
  if (!pattern.test(left) || !pattern.test(right)) return Number.NaN
  const difference = BigInt(left) - BigInt(right)
  return difference > 0n ? 1 : difference < 0n ? -1 : 0
}

const formatRequirement = ({ key, operator, values }: LabelRequirement): string => {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      // The empty value alone is written as the nothing before a comma: `()` would be no value at all.
      return `${key} ${operator} (${values.toSorted().join(',') || ','})`
    case 'gt':
      return `${key}>${values[0] ?? ''}`
    case 'lt':
      return `${key}<${values[0] ?? ''}`
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values[0] ?? ''}`
  }
}
