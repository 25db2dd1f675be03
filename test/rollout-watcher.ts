// What somebody sees who follows all pods and ReplicaSets of one Deployment, event by event: whether its promises hold at every moment.
import type { ApiClient, ApiWatchHandlers } from '../packages/orchestrator/src/client/api-client.ts'
import { isActive, isReady } from '../packages/orchestrator/src/controllers/pod-state.ts'
import { controllerOf } from '../packages/orchestrator/src/controllers/owner.ts'
import type { KubeObject, Stored } from '../packages/orchestrator/src/resources/object.ts'
import { podType, type Pod } from '../packages/orchestrator/src/resources/pod.ts'
import {
  replicaSetType,
  type ReplicaSet,
} from '../packages/orchestrator/src/resources/replica-set.ts'

export interface Promises {
  /** Pods that serve, never less. */
  readonly availableMin: number
  /** Sizes of all ReplicaSets together, never more. */
  readonly sizeMax: number
}

export class RolloutWatcher {
  readonly #client: ApiClient
  readonly #pods = new Map<string, Stored<Pod>>()
  readonly #sets = new Map<string, Stored<ReplicaSet>>()
  /** By uid: the largest size that a ReplicaSet ever had. */
  readonly #sizes = new Map<string, number>()
  readonly #closers: (() => void)[] = []
  readonly #broken = new Set<string>()
  #promises: Promises = { availableMin: 0, sizeMax: Number.POSITIVE_INFINITY }

  constructor(client: ApiClient) {
    this.#client = client
  }

  /** From now on these are kept to. */
  expect(promises: Promises): void {
    this.#promises = promises
  }

  /** What was not kept, each once. */
  get broken(): readonly string[] {
    return [...this.#broken]
  }
  get pods(): readonly Stored<Pod>[] {
    return [...this.#pods.values()]
  }
  get sets(): readonly Stored<ReplicaSet>[] {
    return [...this.#sets.values()]
  }
  get available(): number {
    return this.pods.filter((pod) => isActive(pod) && isReady(pod)).length
  }

  async start(): Promise<void> {
    await this.#follow<ReplicaSet>(replicaSetType, this.#sets)
    await this.#follow<Pod>(podType, this.#pods)
  }
  close(): void {
    for (const close of this.#closers) close()
  }

  async #follow<T extends KubeObject>(
    ref: typeof podType | typeof replicaSetType,
    objects: Map<string, Stored<T>>,
  ): Promise<void> {
    const { items, resourceVersion } = await this.#client.list<T>(ref, {})
    for (const object of items) objects.set(object.metadata.uid, object)
    const handlers: ApiWatchHandlers<T> = {
      event: (event) => {
        if (event.type === 'BOOKMARK') return
        if (event.type === 'DELETED') objects.delete(event.object.metadata.uid)
        else objects.set(event.object.metadata.uid, event.object)
        this.#check()
      },
      ended: (error) => this.#broken.add(`the watch ended: ${error?.message ?? 'by the server'}`),
    }
    this.#closers.push(this.#client.watch<T>(ref, { resourceVersion }, handlers))
  }

  #check(): void {
    const { availableMin, sizeMax } = this.#promises
    if (this.available < availableMin) this.#broken.add(`fewer than ${availableMin} available`)
    const size = this.sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0)
    if (size > sizeMax) this.#broken.add(`sizes add up to more than ${sizeMax}`)
    for (const { metadata, spec } of this.sets) {
      const largest = Math.max(this.#sizes.get(metadata.uid) ?? 0, spec.replicas ?? 1)
      this.#sizes.set(metadata.uid, largest)
    }
    const counts = new Map<string, number>()
    for (const pod of this.pods) {
      const owner = isActive(pod) ? controllerOf(pod)?.uid : undefined
      if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    }
    for (const [uid, count] of counts) {
      const largest = this.#sizes.get(uid)
      // Events of two kinds come by two ways: a set that is not known yet has no size yet.
      if (largest !== undefined && count > largest)
        this.#broken.add(`more pods of ${uid} than it ever wanted`)
    }
  }
}
