// Which pods a spread constraint counts: those of the pod's namespace that its selector selects and that are not ending.
import { matchesSelector } from '../../resources/label-selector.ts'
import type { TopologySpreadConstraint } from '../../resources/pod-spec/pod-spec.ts'
import type { PodFacts } from './node-state.ts'
import { withKeys, type ClassMatcher } from './pod-terms.ts'

export function spreadMatcher(
  constraint: TopologySpreadConstraint,
  { podClass }: PodFacts,
): ClassMatcher {
  const { namespace, labels } = podClass.of
  const { matchLabelKeys = [] } = constraint
  const selector = withKeys(constraint.labelSelector, labels, { matchLabelKeys })
  return {
    key: `spread ${JSON.stringify([namespace, selector])}`,
    matches: (other) =>
      selector !== undefined &&
      other.namespace === namespace &&
      !other.isEnding &&
      matchesSelector(selector, other.labels),
  }
}

/** Pods of the same controller: what pods are spread by that say nothing of spreading. */
export const siblingMatcher = ({ podClass }: PodFacts): ClassMatcher | undefined => {
  const { namespace, controller } = podClass.of
  if (controller === '') return undefined
  return {
    key: `siblings ${controller}`,
    matches: (other) =>
      other.controller === controller && other.namespace === namespace && !other.isEnding,
  }
}
