// nodeSelector and node affinity: terms are ORed, requirements of a term ANDed; a term without any matches nothing.
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import type {
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from '../resources/pod-spec/pod-spec.ts'

export function matchesNodeSelection(spec: PodSpec, node: Stored<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  const isSelected = Object.entries(spec.nodeSelector ?? {}).every(
    ([key, value]) => labels[key] === value,
  )
  if (!isSelected) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || matchesNodeTerms(required.nodeSelectorTerms, node)
}

/** Terms are ORed. */
export const matchesNodeTerms = (terms: readonly NodeSelectorTerm[], node: Stored<Node>): boolean =>
  terms.some((term) => matchesTerm(term, node))

/** The sum of the weights of the preferences that the node meets. */
export const preferenceWeight = (spec: PodSpec, node: Stored<Node>): number =>
  (spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
    .filter(({ preference }) => isEmpty(preference) || matchesTerm(preference, node))
    .reduce((sum, { weight }) => sum + weight, 0)

const isEmpty = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): boolean =>
  matchExpressions.length === 0 && matchFields.length === 0

const matchesTerm = (term: NodeSelectorTerm, node: Stored<Node>): boolean => {
  if (isEmpty(term)) return false
  const labels = node.metadata.labels ?? {}
  const fields: Readonly<Record<string, string>> = { 'metadata.name': node.metadata.name }
  return (
    (term.matchExpressions ?? []).every((each) => matchesRequirement(each, labels)) &&
    (term.matchFields ?? []).every((each) => matchesRequirement(each, fields))
  )
}

function matchesRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return Number(value) > Number(values[0])
    case 'Lt':
      return Number(value) < Number(values[0])
    default:
      return false
  }
}
