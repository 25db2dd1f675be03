// Pods that nobody takes away otherwise: the oldest of those that ended, when they are too many, and those that were to end before any
// node had them. Those of nodes that are gone are node-lifecycle.ts.
import type { Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { deletionOf, type Action, type Reconciliation } from './action.ts'

/** As upstream's --terminated-pod-gc-threshold. */
export const endedPodsMax = 12_500

export const isEnded = ({ status }: Pod): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'

/** It is to end and no agent will end it. */
export const isStuck = ({ metadata, spec }: Stored<Pod>): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (spec.nodeName ?? '') === '' &&
  (metadata.finalizers ?? []).length === 0

export function reconcilePodGarbage(view: {
  readonly ended: readonly Stored<Pod>[]
  readonly stuck: readonly Stored<Pod>[]
  readonly endedMax: number
}): Reconciliation {
  const kept = view.ended.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const tooMany = kept.length - view.endedMax
  const oldest = tooMany > 0 ? kept.toSorted(byAge).slice(0, tooMany) : []
  const actions = [...new Set([...oldest, ...view.stuck])].map(removal)
  return { actions: actions.length === 0 ? [] : [{ type: 'slowStart', actions }] }
}

const byAge = ({ metadata: left }: Stored<Pod>, { metadata: right }: Stored<Pod>): number => {
  const [a, b] = [
    `${left.creationTimestamp} ${left.name}`,
    `${right.creationTimestamp} ${right.name}`,
  ]
  return a < b ? -1 : 1
}

const removal = (pod: Stored<Pod>): Action => deletionOf(podType, pod, { gracePeriodSeconds: 0 })
