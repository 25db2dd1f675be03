// Which nodes a DaemonSet's pods belong on, and which node a pod of it is for.
import type { Node } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import type { NodeSelectorTerm, PodSpec, Toleration } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'
import { matchesNodeSelection } from '../../scheduler/node-affinity.ts'
import { isTolerated } from '../../scheduler/taints.ts'

const nodeNameField = 'metadata.name'

/** A daemon outlives what drives other pods away: its node may be ill because of what it cures. */
const daemonTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const hostNetworkToleration: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
}

/** The template's spec with what every daemon tolerates. */
export function daemonSpec(spec: PodSpec): PodSpec {
  const wanted = [
    ...daemonTolerations,
    ...(spec.hostNetwork === true ? [hostNetworkToleration] : []),
  ]
  const own = (spec.tolerations ?? []).filter(
    (toleration) =>
      !wanted.some(({ key, effect }) => toleration.key === key && toleration.effect === effect),
  )
  return { ...spec, tolerations: [...own, ...wanted] }
}

/** The same for one node: the scheduler then has no choice, but keeps the books. */
export function specForNode(spec: PodSpec, node: string): PodSpec {
  const term: NodeSelectorTerm = {
    matchFields: [{ key: nodeNameField, operator: 'In', values: [node] }],
  }
  const { affinity } = spec
  return {
    ...spec,
    affinity: {
      ...affinity,
      nodeAffinity: {
        ...affinity?.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
      },
    },
  }
}

/** Undefined: for none that we know of. */
export function nodeOfDaemon({ spec }: Stored<Pod>): string | undefined {
  if ((spec.nodeName ?? '') !== '') return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const [field] = (required?.nodeSelectorTerms ?? []).flatMap(({ matchFields = [] }) =>
    matchFields.filter(({ key, operator }) => key === nodeNameField && operator === 'In'),
  )
  return field?.values?.[0]
}

export interface Fit {
  /** A pod should be made there. */
  readonly shouldRun: boolean
  /** One that is there may stay. */
  readonly mayStay: boolean
}

/** `spec` is that of daemonSpec. */
export function fitOf(spec: PodSpec, node: Stored<Node>): Fit {
  const wanted = spec.nodeName ?? ''
  if (wanted !== '' && wanted !== node.metadata.name) return { shouldRun: false, mayStay: false }
  if (!matchesNodeSelection(spec, node)) return { shouldRun: false, mayStay: false }
  const repelling = (node.spec.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(spec.tolerations ?? [], taint),
  )
  return {
    shouldRun: repelling.length === 0,
    mayStay: repelling.every(({ effect }) => effect !== 'NoExecute'),
  }
}
