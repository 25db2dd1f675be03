// Which nodes can take a pod at all, and in upstream's words why not. Cheap checks come first.
import type { Pod } from '../resources/pod.ts'
import type { Stored } from '../resources/object.ts'
import type { NodeState } from './cluster-view.ts'
import { matchesNodeSelection } from './node-affinity.ts'
import { portsClash, type PodDemand } from './pod-demand.ts'
import { isTolerated } from './taints.ts'

/** Tells why the node cannot take the pod; an empty list: it can. */
export type Filter = (pod: Stored<Pod>, demand: PodDemand, state: NodeState) => readonly string[]

const fits: readonly string[] = []
const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

const nodeUnschedulable: Filter = ({ spec }, _demand, { node }) =>
  node?.spec.unschedulable !== true || isTolerated(spec.tolerations ?? [], unschedulableTaint)
    ? fits
    : ['node(s) were unschedulable']

const taints: Filter = ({ spec }, _demand, { node }) => {
  const taint = node?.spec.taints?.find(
    (each) => each.effect !== 'PreferNoSchedule' && !isTolerated(spec.tolerations ?? [], each),
  )
  return taint === undefined
    ? fits
    : [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`]
}

const nodeSelection: Filter = ({ spec }, _demand, { node }) =>
  node !== undefined && matchesNodeSelection(spec, node)
    ? fits
    : [`node(s) didn't match Pod's node affinity/selector`]

const hostPorts: Filter = (_pod, demand, state) =>
  demand.hostPorts.some((port) => [...state.hostPorts].some((taken) => portsClash(port, taken)))
    ? [`node(s) didn't have free ports for the requested pod ports`]
    : fits

const resources: Filter = (_pod, demand, state) => {
  const reasons: string[] = []
  if (state.podCount + 1 > (state.allocatable.get('pods') ?? 0)) reasons.push('Too many pods')
  for (const [name, amount] of demand.requests) {
    if (amount === 0) continue
    const free = (state.allocatable.get(name) ?? 0) - (state.requested.get(name) ?? 0)
    if (amount > free) reasons.push(`Insufficient ${name}`)
  }
  return reasons
}

const filters: readonly Filter[] = [nodeUnschedulable, taints, nodeSelection, hostPorts, resources]

/** The reasons of the first filter that refuses. */
export function refusals(pod: Stored<Pod>, demand: PodDemand, state: NodeState): readonly string[] {
  for (const filter of filters) {
    const reasons = filter(pod, demand, state)
    if (reasons.length > 0) return reasons
  }
  return fits
}
