// What the scheduler knows of the cluster, kept up to date change by change and never built anew: nodes, what is taken on them, and the
// counts that affinity and spreading ask for. A pod that was just given a node counts there before the cache shows it (assumed).
import { assert } from '@balsa/raft/assert'
import type { Labels } from '../../resources/label-selector.ts'
import type { Node } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import {
  countDemand,
  emptyNode,
  takeNode,
  type MutableNode,
  type NodeChange,
  type NodeState,
  type PlacedPod,
  type PodFacts,
} from './node-state.ts'
import { podClassOf } from './pod-class.ts'
import { podDemand } from './pod-demand.ts'
import { podTermsOf } from './pod-terms.ts'
import { TopologyIndex } from './topology-index.ts'
import { VolumeView } from './volume-view.ts'

const noLabels: Labels = {}

export class ClusterView {
  readonly topology: TopologyIndex
  readonly volumes: VolumeView = new VolumeView()
  readonly #nodes = new Map<string, MutableNode>()
  readonly #placed = new Map<string, PlacedPod>()
  /** Pods that wait for others to leave a node, by node. */
  readonly #nominated = new Map<string, Map<string, PodFacts>>()
  readonly #nominations = new Map<string, string>()
  /** Nodes that have an image. */
  readonly #images = new Map<string, number>()
  #schedulable: readonly NodeState[] | undefined

  constructor() {
    this.topology = new TopologyIndex((node) => this.#nodes.get(node)?.labels ?? noLabels)
  }

  /** The nodes that exist, in a fixed order. */
  nodes(): readonly NodeState[] {
    this.#schedulable ??= [...this.#nodes.values()].filter(({ node }) => node !== undefined)
    return this.#schedulable
  }
  node(name: string): NodeState | undefined {
    return this.#nodes.get(name)
  }
  nodesWithImage(image: string): number {
    return this.#images.get(image) ?? 0
  }

  setNode(node: Stored<Node>): NodeChange {
    const state = this.#state(node.metadata.name)
    const { labels, images } = state
    const change = takeNode(state, node)
    if (change.isNew) this.#schedulable = undefined
    if (change.labels) this.topology.relabel(state.name, labels, state.labels)
    if (images !== state.images) this.#countImages(images, state.images)
    return change
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name)
    if (state === undefined) return
    this.topology.relabel(name, state.labels, noLabels)
    this.#countImages(state.images, new Map())
    this.#schedulable = undefined
    this.#nodes.delete(name)
    if (state.pods.size === 0) return
    // Its pods are still bound to it, should it come back.
    const rest = emptyNode(name)
    this.#nodes.set(name, rest)
    for (const placed of state.pods.values()) {
      rest.pods.set(placed.uid, placed)
      countDemand(rest, placed.demand, 1)
    }
  }

  /** What the pod is to the scheduler; worked out once per pod. */
  factsOf(pod: Stored<Pod>): PodFacts {
    const of = podClassOf(pod)
    return {
      pod,
      uid: pod.metadata.uid,
      priority: pod.spec.priority ?? 0,
      demand: podDemand(pod),
      podClass: this.topology.classOf(of),
      terms: podTermsOf(pod.spec, of),
      claims: claimKeys(pod),
    }
  }

  /** A pod as the cache has it: it counts on its node unless it is over. */
  setPod(pod: Stored<Pod>): void {
    const { nodeName = '' } = pod.spec
    const { uid } = pod.metadata
    const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
    const placed = this.#placed.get(uid)
    if (nodeName === '' && placed?.isAssumed === true && !isOver) return
    if (placed !== undefined && placed.nodeName === nodeName && !isOver && isLike(placed, pod)) {
      this.#replace(placed, { ...placed, pod, isAssumed: false })
      return
    }
    this.removePod(uid)
    if (nodeName !== '' && !isOver) this.#place(this.factsOf(pod), nodeName, false)
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return
    this.#placed.delete(uid)
    this.#count(placed, -1)
  }

  placed(uid: string): PlacedPod | undefined {
    return this.#placed.get(uid)
  }

  /** Counts the pod on a node that it is being bound to. */
  assume(facts: PodFacts, nodeName: string): void {
    assert(!this.#placed.has(facts.uid), 'a pod is assumed once')
    this.#place(facts, nodeName, true)
  }
  /** The binding failed. */
  forget(uid: string): void {
    if (this.#placed.get(uid)?.isAssumed === true) this.removePod(uid)
  }
  /** Whether the pod is on a node or on its way there. */
  isPlaced(uid: string): boolean {
    return this.#placed.has(uid)
  }

  /** Keeps the node's room for a pod that pushes others out of it; undefined: no longer. */
  nominate(facts: PodFacts, nodeName: string | undefined): void {
    const { uid } = facts
    const before = this.#nominations.get(uid)
    if (before !== undefined) {
      const pods = this.#nominated.get(before)
      pods?.delete(uid)
      if (pods?.size === 0) this.#nominated.delete(before)
      this.#nominations.delete(uid)
    }
    if (nodeName === undefined) return
    this.#nominations.set(uid, nodeName)
    const pods = this.#nominated.get(nodeName)
    if (pods === undefined) this.#nominated.set(nodeName, new Map([[uid, facts]]))
    else pods.set(uid, facts)
  }
  nominationOf(uid: string): string | undefined {
    return this.#nominations.get(uid)
  }
  nominatedTo(nodeName: string): ReadonlyMap<string, PodFacts> | undefined {
    return this.#nominated.get(nodeName)
  }

  /** The answer of `ask` as it were with these pods there and those gone; afterwards everything is as before. */
  supposing<T>(
    change: { readonly with?: readonly PodFacts[]; readonly without?: readonly PlacedPod[] },
    nodeName: string,
    ask: () => T,
  ): T {
    const added = (change.with ?? []).filter(({ uid }) => !this.#placed.has(uid))
    for (const { uid } of change.without ?? []) this.removePod(uid)
    for (const facts of added) this.#place(facts, nodeName, true)
    const answer = ask()
    for (const { uid } of added) this.removePod(uid)
    for (const placed of change.without ?? []) {
      this.#placed.set(placed.uid, placed)
      this.#count(placed, 1)
    }
    return answer
  }

  #place(facts: PodFacts, nodeName: string, isAssumed: boolean): void {
    const placed = { ...facts, nodeName, isAssumed }
    this.#placed.set(facts.uid, placed)
    this.#count(placed, 1)
  }

  #replace(before: PlacedPod, placed: PlacedPod): void {
    this.#placed.set(before.uid, placed)
    this.#nodes.get(before.nodeName)?.pods.set(before.uid, placed)
  }

  #count(placed: PlacedPod, sign: 1 | -1): void {
    const state = this.#state(placed.nodeName)
    if (sign > 0) state.pods.set(placed.uid, placed)
    else assert(state.pods.delete(placed.uid), 'pods on a node are counted in and out in pairs')
    countDemand(state, placed.demand, sign)
    this.topology.count(placed.podClass, placed.terms, placed.nodeName, sign)
    this.volumes.use(placed.claims, sign)
    if (state.pods.size === 0 && state.node === undefined) this.#nodes.delete(placed.nodeName)
  }

  #state(name: string): MutableNode {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const made = emptyNode(name)
    this.#nodes.set(name, made)
    return made
  }

  #countImages(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
    for (const image of before.keys()) {
      const next = this.nodesWithImage(image) - 1
      if (next === 0) this.#images.delete(image)
      else this.#images.set(image, next)
    }
    for (const image of after.keys()) this.#images.set(image, this.nodesWithImage(image) + 1)
  }
}

/** Whether nothing has changed that counts on the node: the spec is fixed once a pod is bound, but for its resources. */
function isLike(placed: PlacedPod, pod: Stored<Pod>): boolean {
  const before = placed.pod
  if (
    (before.metadata.deletionTimestamp === undefined) !==
    (pod.metadata.deletionTimestamp === undefined)
  )
    return false
  const isSameGeneration = before.metadata.generation === pod.metadata.generation
  if (!isSameGeneration && !isSame(before.spec.containers, pod.spec.containers)) return false
  return isSame(before.metadata.labels, pod.metadata.labels)
}

const isSame = (left: unknown, right: unknown): boolean =>
  left === right || JSON.stringify(left) === JSON.stringify(right)

/** `NAMESPACE/NAME` of the claims, also of those that are made for the pod. */
function claimKeys({ metadata, spec }: Stored<Pod>): readonly string[] {
  const namespace = metadata.namespace ?? ''
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined)
      return [`${namespace}/${persistentVolumeClaim.claimName}`]
    return ephemeral === undefined ? [] : [`${namespace}/${metadata.name}-${name}`]
  })
}
