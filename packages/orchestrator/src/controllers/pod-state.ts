// What controllers ask of a pod: does it count, is it ready, since when, and which of several to delete first.
import type { Condition, Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'

/** Neither over nor on its way out. */
export const isActive = (pod: Stored<Pod>): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status.phase !== 'Succeeded' &&
  pod.status.phase !== 'Failed'

const readyCondition = (pod: Stored<Pod>): Condition | undefined =>
  pod.status.conditions?.find(({ type }) => type === 'Ready')

export const isReady = (pod: Stored<Pod>): boolean => readyCondition(pod)?.status === 'True'

const readySinceMs = (pod: Stored<Pod>): number =>
  Date.parse(readyCondition(pod)?.lastTransitionTime ?? '') || 0

/** Ready for `minReadySeconds` without a break. */
export const isAvailable = (pod: Stored<Pod>, minReadySeconds: number, nowMs: number): boolean =>
  isReady(pod) && (minReadySeconds === 0 || availableAtMs(pod, minReadySeconds) <= nowMs)

/** When a ready pod becomes available. */
export const availableAtMs = (pod: Stored<Pod>, minReadySeconds: number): number =>
  readySinceMs(pod) + minReadySeconds * 1000

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

const deletionCost = (pod: Stored<Pod>): number => {
  const text = pod.metadata.annotations?.[costAnnotation] ?? '0'
  return /^[+-]?\d{1,10}$/.test(text) ? Number(text) : 0
}

const restarts = (pod: Stored<Pod>): number =>
  (pod.status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)

const phaseRank = (pod: Stored<Pod>): number =>
  pod.status.phase === 'Running' ? 2 : pod.status.phase === 'Unknown' ? 1 : 0

/** The pods in the order in which to delete them: least loss first, as upstream ranks them. */
export function deletionOrder(pods: readonly Stored<Pod>[]): Stored<Pod>[] {
  const onNode = new Map<string, number>()
  for (const pod of pods) {
    const node = pod.spec.nodeName ?? ''
    onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => ({ pod, ranks: deletionRanks(pod, onNode) }))
  return ranked.toSorted((left, right) => compare(left.ranks, right.ranks)).map(({ pod }) => pod)
}

/** Smaller goes first. */
const deletionRanks = (
  pod: Stored<Pod>,
  onNode: ReadonlyMap<string, number>,
): (number | string)[] => [
  (pod.spec.nodeName ?? '') === '' ? 0 : 1,
  phaseRank(pod),
  isReady(pod) ? 1 : 0,
  deletionCost(pod),
  -(onNode.get(pod.spec.nodeName ?? '') ?? 0),
  isReady(pod) ? -readySinceMs(pod) : 0,
  -restarts(pod),
  -(Date.parse(pod.metadata.creationTimestamp) || 0),
  pod.metadata.name,
]

function compare(left: readonly (number | string)[], right: readonly (number | string)[]): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? value
    if (value < other) return -1
    if (value > other) return 1
  }
  return 0
}
