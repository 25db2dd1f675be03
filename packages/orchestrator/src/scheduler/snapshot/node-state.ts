// What the scheduler knows of one node: what it has, and what is taken by the pods on it.
import type { Labels } from '../../resources/label-selector.ts'
import type { Node, Taint } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { amountsOf, type Amounts, type PodDemand } from './pod-demand.ts'
import type { PodTerms } from './pod-terms.ts'
import type { KnownClass } from './topology-index.ts'

/** A pod as the scheduler sees it, worked out once. */
export interface PodFacts {
  readonly pod: Stored<Pod>
  readonly uid: string
  readonly priority: number
  readonly demand: PodDemand
  readonly podClass: KnownClass
  readonly terms: PodTerms
  /** `NAMESPACE/NAME` of the claims that it mounts. */
  readonly claims: readonly string[]
}
export interface PlacedPod extends PodFacts {
  readonly nodeName: string
  /** Not yet seen there: the binding is on its way. */
  readonly isAssumed: boolean
}

export interface NodeState {
  readonly name: string
  /** Undefined: pods are bound to a node that is not there (any more). */
  readonly node: Stored<Node> | undefined
  readonly labels: Labels
  readonly hardTaints: readonly Taint[]
  readonly softTaints: readonly Taint[]
  readonly allocatable: Amounts
  /** Of `allocatable`. */
  readonly podsMax: number
  readonly requested: Amounts
  /** With what is assumed of containers that ask for nothing. */
  readonly scored: { readonly cpu: number; readonly memory: number }
  readonly pods: ReadonlyMap<string, PlacedPod>
  /** How many pods have the port. */
  readonly hostPorts: ReadonlyMap<string, number>
  /** Sizes in bytes. */
  readonly images: ReadonlyMap<string, number>
}

export interface MutableNode extends NodeState {
  node: Stored<Node> | undefined
  labels: Labels
  hardTaints: readonly Taint[]
  softTaints: readonly Taint[]
  allocatable: Amounts
  podsMax: number
  images: ReadonlyMap<string, number>
  readonly requested: Map<string, number>
  readonly scored: { cpu: number; memory: number }
  readonly pods: Map<string, PlacedPod>
  readonly hostPorts: Map<string, number>
}

const noLabels: Labels = {}
const noAmounts: Amounts = new Map()

export const emptyNode = (name: string): MutableNode => ({
  name,
  node: undefined,
  labels: noLabels,
  hardTaints: [],
  softTaints: [],
  allocatable: noAmounts,
  podsMax: 0,
  images: noAmounts,
  requested: new Map(),
  scored: { cpu: 0, memory: 0 },
  pods: new Map(),
  hostPorts: new Map(),
})

/** What of a node may let pods in that did not fit before. */
export interface NodeChange {
  readonly isNew: boolean
  readonly allocatable: boolean
  readonly labels: boolean
  readonly taints: boolean
}

/** Takes the node's new version over. */
export function takeNode(state: MutableNode, node: Stored<Node>): NodeChange {
  const before = state.node
  const taints = node.spec.taints ?? []
  state.node = node
  state.labels = node.metadata.labels ?? noLabels
  state.hardTaints = taints.filter(({ effect }) => effect !== 'PreferNoSchedule')
  state.softTaints = taints.filter(({ effect }) => effect === 'PreferNoSchedule')
  const isNew = before === undefined
  const allocatable = isNew || !isSame(allocatableOf(before), allocatableOf(node))
  if (allocatable) {
    state.allocatable = amountsOf(allocatableOf(node))
    state.podsMax = state.allocatable.get('pods') ?? 0
  }
  if (isNew || !isSame(before.status.images, node.status.images)) state.images = imagesOf(node)
  return {
    isNew,
    allocatable,
    labels: isNew || !isSame(before.metadata.labels, node.metadata.labels),
    taints:
      isNew ||
      !isSame(before.spec.taints, node.spec.taints) ||
      before.spec.unschedulable !== node.spec.unschedulable,
  }
}

const allocatableOf = ({ status }: Stored<Node>): Node['status']['allocatable'] =>
  status.allocatable ?? status.capacity

/** Objects of the API that come from one decoder keep the order of their fields. */
const isSame = (left: unknown, right: unknown): boolean =>
  left === right || JSON.stringify(left) === JSON.stringify(right)

const imagesOf = ({ status }: Stored<Node>): ReadonlyMap<string, number> =>
  new Map(
    (status.images ?? []).flatMap(({ names, sizeBytes }) =>
      (names ?? []).map((name): [string, number] => [name, sizeBytes ?? 0]),
    ),
  )

/** `sign` 1: the pod's demand is taken; -1: it is free again. */
export function countDemand(state: MutableNode, demand: PodDemand, sign: 1 | -1): void {
  for (const [name, amount] of demand.requests) {
    const next = (state.requested.get(name) ?? 0) + sign * amount
    if (next === 0) state.requested.delete(name)
    else state.requested.set(name, next)
  }
  state.scored.cpu += sign * demand.scored.cpu
  state.scored.memory += sign * demand.scored.memory
  for (const port of demand.hostPorts) {
    const next = (state.hostPorts.get(port) ?? 0) + sign
    if (next === 0) state.hostPorts.delete(port)
    else state.hostPorts.set(port, next)
  }
}
