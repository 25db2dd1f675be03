// One step of a DaemonSet's rolling update: old pods are deleted as far as maxUnavailable allows, or, with maxSurge, new ones are made
// beside them first. Old pods that do not work anyway are replaced at once.
import { scaledValue } from '../../resources/int-or-percent.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { isAvailable, isReady } from '../pod-state.ts'
import { revisionLabel, type DaemonPlace, type DaemonState } from './daemon-state.ts'

export interface RolloutStep {
  /** Nodes that get a pod beside the one they have. */
  readonly missing: readonly string[]
  readonly doomed: readonly Stored<Pod>[]
}

export const isSurging = ({ daemonSet }: DaemonState): boolean => {
  const { type, rollingUpdate } = daemonSet.spec.updateStrategy
  return type === 'RollingUpdate' && scaledValue(rollingUpdate?.maxSurge, 100, 'up') > 0
}

const isNew = ({ update }: DaemonState, pod: Stored<Pod>): boolean =>
  pod.metadata.labels?.[revisionLabel] === update.hash

const isServing = ({ daemonSet, nowMs }: DaemonState, pod: Stored<Pod>): boolean =>
  isAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs)

/** While surging one old and one new pod may share a node, until the new one is available or the old one is not even ready. */
export function surplusOf(state: DaemonState, running: readonly Stored<Pod>[]): Stored<Pod>[] {
  if (running.length <= 1) return []
  const newPods = running.filter((pod) => isNew(state, pod))
  const oldPods = running.filter((pod) => !isNew(state, pod))
  const [newPod] = newPods
  const [oldPod] = oldPods
  const surplus = [...newPods.slice(1), ...oldPods.slice(1)]
  if (newPod === undefined || oldPod === undefined) return surplus
  return !isReady(oldPod) || isServing(state, newPod) ? [...surplus, oldPod] : surplus
}

interface Pair {
  readonly node: string
  readonly newPod: Stored<Pod> | undefined
  readonly oldPod: Stored<Pod> | undefined
}

export function rolloutStep(state: DaemonState): RolloutStep {
  const wanted = state.places.filter(({ fit }) => fit.shouldRun)
  const pairs = wanted.map((place) => pairOf(state, place))
  const { rollingUpdate } = state.daemonSet.spec.updateStrategy
  const maxSurge = scaledValue(rollingUpdate?.maxSurge ?? 0, wanted.length, 'up')
  if (maxSurge > 0) return surge(state, pairs, maxSurge)
  const maxUnavailable = scaledValue(rollingUpdate?.maxUnavailable ?? 1, wanted.length, 'up')
  return replace(state, pairs, Math.max(1, maxUnavailable))
}

function pairOf(state: DaemonState, { node, pods }: DaemonPlace): Pair {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return {
    node,
    newPod: staying.find((pod) => isNew(state, pod)),
    oldPod: staying.find((pod) => !isNew(state, pod)),
  }
}

function replace(state: DaemonState, pairs: readonly Pair[], maxUnavailable: number): RolloutStep {
  let unavailable = 0
  const broken: Stored<Pod>[] = []
  const working: Stored<Pod>[] = []
  for (const { newPod, oldPod } of pairs) {
    if (oldPod !== undefined && newPod === undefined)
      (isServing(state, oldPod) ? working : broken).push(oldPod)
    // Both or none: the node is between two states.
    else if (newPod === undefined || oldPod !== undefined || !isServing(state, newPod))
      unavailable++
  }
  // What is broken is unavailable already, whether it is replaced or not.
  const allowed = Math.max(0, maxUnavailable - unavailable - broken.length)
  return { missing: [], doomed: [...broken, ...working.slice(0, allowed)] }
}

function surge(state: DaemonState, pairs: readonly Pair[], maxSurge: number): RolloutStep {
  let surging = 0
  const doomed: Stored<Pod>[] = []
  const broken: string[] = []
  const working: string[] = []
  for (const { node, newPod, oldPod } of pairs) {
    if (oldPod === undefined) continue
    if (newPod === undefined) (isServing(state, oldPod) ? working : broken).push(node)
    else if (isServing(state, newPod)) doomed.push(oldPod)
    else surging++
  }
  return { doomed, missing: [...broken, ...working.slice(0, Math.max(0, maxSurge - surging))] }
}
