// What the scheduler knows of the cluster: nodes and what is taken on them, kept up to date change by change. A pod that was just given a
// node counts there before the cache shows it (assumed).
import { assert } from '@balsa/raft/assert'
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { amountsOf, podDemand, type Amounts, type PodDemand } from './pod-demand.ts'

export interface NodeState {
  readonly name: string
  /** Undefined: pods are bound to a node that is not there (any more). */
  readonly node: Stored<Node> | undefined
  readonly allocatable: Amounts
  readonly requested: Amounts
  readonly scored: { readonly cpu: number; readonly memory: number }
  readonly podCount: number
  readonly hostPorts: ReadonlySet<string>
}
interface Mutable {
  readonly name: string
  node: Stored<Node> | undefined
  allocatable: Amounts
  readonly requested: Map<string, number>
  readonly scored: { cpu: number; memory: number }
  podCount: number
  readonly hostPorts: Set<string>
}
interface Placed {
  readonly nodeName: string
  readonly demand: PodDemand
  readonly isAssumed: boolean
}

export class ClusterView {
  readonly #nodes = new Map<string, Mutable>()
  readonly #placed = new Map<string, Placed>()
  #schedulable: NodeState[] | undefined

  /** The nodes that exist, in a fixed order. */
  nodes(): readonly NodeState[] {
    this.#schedulable ??= [...this.#nodes.values()].filter(({ node }) => node !== undefined)
    return this.#schedulable
  }

  setNode(node: Stored<Node>): void {
    const state = this.#state(node.metadata.name)
    if (state.node === undefined) this.#schedulable = undefined
    state.node = node
    state.allocatable = amountsOf(node.status.allocatable ?? node.status.capacity)
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name)
    if (state === undefined) return
    state.node = undefined
    this.#schedulable = undefined
    if (state.podCount === 0) this.#nodes.delete(name)
  }

  /** A pod as the cache has it: it counts on its node unless it is over. */
  setPod(pod: Stored<Pod>): void {
    const { nodeName = '' } = pod.spec
    const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
    const placed = this.#placed.get(pod.metadata.uid)
    if (nodeName === '' && placed?.isAssumed === true && !isOver) return
    if (placed !== undefined && placed.nodeName === nodeName && !isOver) {
      this.#placed.set(pod.metadata.uid, { ...placed, isAssumed: false })
      return
    }
    this.removePod(pod.metadata.uid)
    if (nodeName !== '' && !isOver) this.#place(pod, nodeName, false)
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return
    this.#placed.delete(uid)
    this.#count(placed.nodeName, placed.demand, -1)
  }

  /** Counts the pod on a node that it is being bound to. */
  assume(pod: Stored<Pod>, nodeName: string): void {
    assert(!this.#placed.has(pod.metadata.uid), 'a pod is assumed once')
    this.#place(pod, nodeName, true)
  }
  /** The binding failed. */
  forget(uid: string): void {
    if (this.#placed.get(uid)?.isAssumed === true) this.removePod(uid)
  }

  /** Whether the pod is on a node or on its way there. */
  isPlaced(uid: string): boolean {
    return this.#placed.has(uid)
  }

  #place(pod: Stored<Pod>, nodeName: string, isAssumed: boolean): void {
    const demand = podDemand(pod)
    this.#placed.set(pod.metadata.uid, { nodeName, demand, isAssumed })
    this.#count(nodeName, demand, 1)
  }

  #count(nodeName: string, demand: PodDemand, sign: 1 | -1): void {
    const state = this.#state(nodeName)
    for (const [name, amount] of demand.requests)
      state.requested.set(name, (state.requested.get(name) ?? 0) + sign * amount)
    state.scored.cpu += sign * demand.scored.cpu
    state.scored.memory += sign * demand.scored.memory
    state.podCount += sign
    for (const port of demand.hostPorts) {
      if (sign > 0) state.hostPorts.add(port)
      else state.hostPorts.delete(port)
    }
    assert(state.podCount >= 0, 'pods on a node are counted in and out in pairs')
    if (state.podCount === 0 && state.node === undefined) this.#nodes.delete(nodeName)
  }

  #state(name: string): Mutable {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const made: Mutable = {
      name,
      node: undefined,
      allocatable: new Map(),
      requested: new Map(),
      scored: { cpu: 0, memory: 0 },
      podCount: 0,
      hostPorts: new Set(),
    }
    this.#nodes.set(name, made)
    return made
  }
}
