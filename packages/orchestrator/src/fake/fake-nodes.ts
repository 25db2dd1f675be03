// Nodes without machines, for tests of scale: they say they have capacity, keep their leases and take the pods that are bound to them
// through stages, without any process. Thousands of them live in this process, through the same ApiClient as agents.
import type { NodeConnection, NodeConnections } from '../apiserver/node-connections.ts'
import type { ApiClient } from '../client/api-client.ts'
import { createUnlessThere } from '../client/create-unless-there.ts'
import { Informer } from '../client/informer.ts'
import { isApiError } from '../client/is-api-error.ts'
import { objectKey } from '../client/object-cache.ts'
import { namespaceType } from '../resources/namespace.ts'
import { nodeType, type Node } from '../resources/node.ts'
import type { Json, Stored } from '../resources/object.ts'
import type { ResourceList } from '../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { WriteAllowance } from '../loop/write-allowance.ts'
import { DueList } from './due-list.ts'
import { FakeHeartbeats } from './fake-heartbeats.ts'
import {
  defaultCapacity,
  fakeNode,
  fakeNodeName,
  fakeNodesMax,
  fakeNodeStatus,
  isReady,
  isUnheard,
  leaseNamespace,
  nodeAddress,
  podAddress,
} from './fake-node.ts'
import { defaultStages, isDoubted, nextStage, stagedStatus, type PodStage } from './pod-stages.ts'

export interface FakeNodesOptions {
  readonly client: ApiClient
  readonly count: number
  /** Where `kubectl logs` and the like look for the pods' node. */
  readonly connections?: NodeConnections
  readonly namePrefix?: string
  readonly capacity?: ResourceList
  readonly stages?: readonly PodStage[]
  /** 0 to 1, for jitter and failures. */
  readonly random?: () => number
  /** Epoch milliseconds. */
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
}

/** Requests at the same time, in the long run and in a burst. */
const requestsFew = 12
const requestsMany = 24
/** The same while nodes are registered: nobody waits for anything else then. */
const startRequestsMax = 100
/** What failed is tried again after that. */
const retryMs = 1000
/** A node that was given up says so late that it lives; its pods may be doubted for so long afterwards. */
const recoveryMs = 1000
const doubtsMs = 30_000
/** What becomes of a pod whose node was not heard of for a while. */
const heardAgain: PodStage = { name: 'heard-again', when: {}, delayMs: 0, then: 'run' }

/** Resolves when all nodes are registered and Ready, and pods are taken. */
export async function startFakeNodes(options: FakeNodesOptions): Promise<FakeNodes> {
  if (options.count > fakeNodesMax) throw new Error(`at most ${fakeNodesMax} fake nodes`)
  const nodes = new FakeNodes(options)
  await nodes.start()
  return nodes
}

const byNode = 'node'

interface Place {
  readonly index: number
  pods: number
  /** When it last said that it lives after all; `performance.now()`. */
  recoveredAtMs: number
}

export class FakeNodes {
  readonly names: readonly string[]
  readonly #client: ApiClient
  readonly #options: FakeNodesOptions
  readonly #stages: readonly PodStage[]
  readonly #random: () => number
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #places: ReadonlyMap<string, Place>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #due: DueList
  /** Due, and no request is free. */
  readonly #ready: string[] = []
  readonly #requests = new Set<Promise<void>>()
  readonly #allowance = new WriteAllowance(requestsFew, requestsMany)
  readonly #unregister: (() => void)[] = []
  #heartbeats: FakeHeartbeats | undefined
  #isClosed = false

  constructor(options: FakeNodesOptions) {
    const { client, count, namePrefix = 'fake-node', onError = () => undefined } = options
    this.#client = client
    this.#options = options
    this.#stages = options.stages ?? defaultStages
    this.#random = options.random ?? Math.random
    this.#now = options.now ?? Date.now
    this.#onError = onError
    this.names = Array.from({ length: count }, (_, index) => fakeNodeName(namePrefix, index))
    this.#places = new Map(
      this.names.map((name, index) => [
        name,
        { index, pods: 0, recoveredAtMs: Number.NEGATIVE_INFINITY },
      ]),
    )
    this.#pods = new Informer<Pod>({ client, ref: podType, onError })
    this.#nodes = new Informer<Node>({ client, ref: nodeType, onError })
    this.#due = new DueList((key) => {
      this.#ready.push(key)
      this.#work()
    })
  }

  async start(): Promise<void> {
    await this.#createLeaseNamespace()
    this.#nodes.start()
    await this.#nodes.synced()
    const nodes = await inParallel(this.names, (name) =>
      this.#register(name, this.#nodes.get(name)),
    )
    this.#heartbeats = new FakeHeartbeats(this.#client, nodes, {
      now: this.#now,
      onError: this.#onError,
    })
    const heartbeats = this.#heartbeats
    await inParallel(nodes, (node) => heartbeats.renew(node))
    heartbeats.start()
    for (const name of this.names) {
      const unregister = this.#options.connections?.register(name, noLogs)
      if (unregister !== undefined) this.#unregister.push(unregister)
    }
    this.#pods.addIndex(byNode, ({ spec }) => [spec.nodeName ?? ''])
    this.#pods.onChange((key, pod) => this.#podChanged(key, pod))
    this.#nodes.onChange((_key, node) => this.#nodeChanged(node))
    this.#pods.start()
    await this.#pods.synced()
  }

  /** The nodes stay, as they do when a machine stops. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#pods.close()
    this.#nodes.close()
    this.#due.close()
    for (const unregister of this.#unregister) unregister()
    await Promise.all(this.#requests)
    await this.#heartbeats?.close()
  }

  async #createLeaseNamespace(): Promise<void> {
    await createUnlessThere(this.#client, namespaceType, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: leaseNamespace },
    })
  }

  /** A node of an earlier start is taken over. */
  async #register(name: string, known: Stored<Node> | undefined): Promise<Stored<Node>> {
    const { capacity = defaultCapacity } = this.#options
    const place = this.#places.get(name)
    const index = place?.index ?? 0
    if (known === undefined)
      return this.#client.create<Node>(nodeType, fakeNode(name, index, capacity, this.#now()))
    if (isReady(known)) return known
    if (place !== undefined) place.recoveredAtMs = performance.now()
    const status = fakeNodeStatus(name, index, capacity, this.#now())
    const patch = { status } as unknown as Json
    return this.#client.patch<Node>(nodeType, undefined, name, 'merge', patch, 'status')
  }

  #podChanged(key: string, pod: Stored<Pod> | undefined): void {
    const stage = pod === undefined ? undefined : this.#stageOf(pod)
    if (stage === undefined) this.#due.remove(key)
    else this.#due.add(key, stage.delayMs + this.#random() * (stage.jitterMs ?? 0))
  }

  #stageOf(pod: Stored<Pod>): PodStage | undefined {
    const place = this.#places.get(pod.spec.nodeName ?? '')
    if (place === undefined) return undefined
    const isRecent = performance.now() - place.recoveredAtMs < doubtsMs
    return nextStage(pod, this.#stages) ?? (isRecent && isDoubted(pod) ? heardAgain : undefined)
  }

  /** Given up while the store or this process stood still: a kubelet would report again. */
  #nodeChanged(node: Stored<Node> | undefined): void {
    if (node !== undefined && this.#places.has(node.metadata.name) && isUnheard(node))
      this.#due.add(node.metadata.name, recoveryMs)
  }

  #work(): void {
    while (
      this.#ready.length > 0 &&
      this.#requests.size < this.#allowance.atOnce &&
      !this.#isClosed
    ) {
      this.#allowance.take(1)
      // Names of nodes have no slash, as keys of pods do.
      const key = this.#ready.shift() ?? ''
      const [pod, node] = [this.#pods.get(key), this.#nodes.get(key)]
      if (pod !== undefined) this.#request(key, this.#advance(pod))
      else if (node !== undefined) this.#request(key, this.#recover(node))
    }
  }

  #request(key: string, work: Promise<void>): void {
    const request = work
      .catch((reason: unknown) => {
        // It has changed or is gone: its change brings it here again.
        if (isApiError(reason, 404, 409)) return
        this.#onError(reason)
        this.#due.add(key, retryMs)
      })
      .finally(() => {
        this.#requests.delete(request)
        this.#work()
      })
    this.#requests.add(request)
  }

  async #recover(node: Stored<Node>): Promise<void> {
    const place = this.#places.get(node.metadata.name)
    if (place === undefined || !isUnheard(node)) return
    const { capacity = defaultCapacity } = this.#options
    const { name } = node.metadata
    const status = fakeNodeStatus(name, place.index, capacity, this.#now())
    await this.#client.update<Node>(nodeType, { ...node, status }, 'status')
    place.recoveredAtMs = performance.now()
    for (const pod of this.#pods.find(byNode, name)) this.#podChanged(objectKey(pod), pod)
  }

  async #advance(pod: Stored<Pod>): Promise<void> {
    const stage = this.#stageOf(pod)
    const place = this.#places.get(pod.spec.nodeName ?? '')
    if (stage === undefined || place === undefined) return
    const { namespace, name, uid } = pod.metadata
    if (stage.then === 'delete') {
      await this.#client.delete(podType, namespace, name, { uid, gracePeriodSeconds: 0 })
      return
    }
    const isFailure = this.#random() < (stage.failureShare ?? 0)
    const status = stagedStatus(pod, isFailure ? 'fail' : stage.then, {
      nowMs: this.#now(),
      hostIp: nodeAddress(place.index),
      podIp: pod.status.podIP ?? podAddress(place.index, place.pods++),
    })
    await this.#client.update<Pod>(podType, { ...pod, status }, 'status')
  }
}

/** Fake containers say nothing. */
const noLogs: NodeConnection = {
  async *readLog(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array())
  },
}

/** In the order of `items`. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += startRequestsMax)
    results.push(...(await Promise.all(items.slice(start, start + startRequestsMax).map(work))))
  return results
}
