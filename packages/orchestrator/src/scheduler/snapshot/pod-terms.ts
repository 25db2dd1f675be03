// Affinity terms of pods as matchers of other pods, each with a key: equal terms of many pods are one matcher.
import type { LabelSelector } from '../../resources/object.ts'
import { matchesSelector, type Labels } from '../../resources/label-selector.ts'
import type { PodAffinity, PodAffinityTerm } from '../../resources/pod-spec/pod-spec.ts'
import type { PodClass } from './pod-class.ts'

export interface ClassMatcher {
  /** Equal keys: the same pods match. */
  readonly key: string
  /** `namespaceLabels` of the namespace of the class. */
  matches(other: PodClass, namespaceLabels: Labels): boolean
}
export interface PodTerm extends ClassMatcher {
  readonly topologyKey: string
}
export interface WeightedTerm {
  readonly term: PodTerm
  readonly weight: number
}

/** What a pod asks of its neighbours. */
export interface PodTerms {
  readonly affinity: readonly PodTerm[]
  readonly antiAffinity: readonly PodTerm[]
  /** Weights of anti-affinity are negative. */
  readonly preferred: readonly WeightedTerm[]
}

const noTerms: PodTerms = { affinity: [], antiAffinity: [], preferred: [] }

interface TermsSource {
  readonly affinity?: { readonly podAffinity?: PodAffinity; readonly podAntiAffinity?: PodAffinity }
}

export function podTermsOf(spec: TermsSource, { namespace, labels }: PodClass): PodTerms {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined) return noTerms
  const made = (term: PodAffinityTerm): PodTerm => podTerm(term, namespace, labels)
  const weighted = (affinity: PodAffinity | undefined, sign: 1 | -1): WeightedTerm[] =>
    (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => ({
      term: made(each.podAffinityTerm),
      weight: sign * each.weight,
    }))
  return {
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(made),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(made),
    preferred: [...weighted(podAffinity, 1), ...weighted(podAntiAffinity, -1)],
  }
}

function podTerm(term: PodAffinityTerm, ownNamespace: string, ownLabels: Labels): PodTerm {
  const { namespaces = [], namespaceSelector, topologyKey } = term
  const isOwnOnly = namespaces.length === 0 && namespaceSelector === undefined
  const named = isOwnOnly ? [ownNamespace] : namespaces.toSorted()
  const selector = withKeys(term.labelSelector, ownLabels, term)
  return {
    key: JSON.stringify([named, namespaceSelector, selector]),
    topologyKey,
    matches: (other, namespaceLabels) =>
      selector !== undefined &&
      (named.includes(other.namespace) ||
        (namespaceSelector !== undefined && matchesSelector(namespaceSelector, namespaceLabels))) &&
      matchesSelector(selector, other.labels),
  }
}

/** The selector with the pod's own values of `matchLabelKeys` and `mismatchLabelKeys`; keys that the pod lacks do not count. */
export function withKeys(
  selector: LabelSelector | undefined,
  labels: Labels,
  keys: {
    readonly matchLabelKeys?: readonly string[]
    readonly mismatchLabelKeys?: readonly string[]
  },
): LabelSelector | undefined {
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = keys
  if (selector === undefined || matchLabelKeys.length + mismatchLabelKeys.length === 0)
    return selector
  const expressions = (names: readonly string[], operator: 'In' | 'NotIn') =>
    names.flatMap((key) => {
      const value = labels[key]
      return value === undefined ? [] : [{ key, operator, values: [value] }]
    })
  return {
    ...selector,
    matchExpressions: [
      ...(selector.matchExpressions ?? []),
      ...expressions(matchLabelKeys, 'In'),
      ...expressions(mismatchLabelKeys, 'NotIn'),
    ],
  }
}

/** All of `terms` at once: what counts as a neighbour for required affinity. */
export const allOf = (terms: readonly PodTerm[]): ClassMatcher => {
  const [only] = terms
  if (only !== undefined && terms.length === 1) return only
  return {
    key: `all ${terms.map(({ key }) => key).join(' ')}`,
    matches: (other, namespaceLabels) =>
      terms.every((term) => term.matches(other, namespaceLabels)),
  }
}
