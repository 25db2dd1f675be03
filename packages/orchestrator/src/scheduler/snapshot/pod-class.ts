// Pods that selectors cannot tell apart: same namespace, labels, controller, and whether they are ending. Affinity and spreading are
// decided by class, so that a Deployment of 10,000 pods costs what one pod costs.
import type { Stored } from '../../resources/object.ts'
import type { Labels } from '../../resources/label-selector.ts'
import type { Pod } from '../../resources/pod.ts'

export interface PodClass {
  readonly namespace: string
  readonly labels: Labels
  /** uid of the controller; '' for a pod of its own. */
  readonly controller: string
  readonly isEnding: boolean
}

export const podClassKey = ({ namespace, labels, controller, isEnding }: PodClass): string => {
  const keys = Object.keys(labels)
  if (keys.length > 1) keys.sort()
  let text = `${namespace}\0${controller}\0${isEnding ? 1 : 0}`
  for (const key of keys) text += `\0${key}\0${labels[key]}`
  return text
}

const noLabels: Labels = {}

export const podClassOf = ({ metadata }: Stored<Pod>): PodClass => ({
  namespace: metadata.namespace ?? '',
  labels: metadata.labels ?? noLabels,
  controller: metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? '',
  isEnding: metadata.deletionTimestamp !== undefined,
})
