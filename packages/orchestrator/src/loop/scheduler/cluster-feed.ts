// Feeds the cluster view and the queue from informers: every change of the cluster as what it means to pods that wait.
import type { ApiClient } from '../../client/api-client.ts'
import { Informer } from '../../client/informer.ts'
import { isApiError } from '../../client/is-api-error.ts'
import type { ResourceRef } from '../../client/api-client.ts'
import { namespaceType, type Namespace } from '../../resources/namespace.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import type { KubeObject, LabelSelector, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
} from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type PersistentVolume,
} from '../../resources/storage/persistent-volume.ts'
import { storageClassType, type StorageClass } from '../../resources/storage/storage-class.ts'
import type { Budget } from '../../scheduler/preemption/budget-view.ts'
import type { ClusterChange } from '../../scheduler/queue/cluster-change.ts'
import type { SchedulingQueue } from '../../scheduler/queue/scheduling-queue.ts'
import type { ClusterView } from '../../scheduler/snapshot/cluster-view.ts'

export interface ClusterFeedOptions {
  readonly client: ApiClient
  readonly view: ClusterView
  readonly queue: SchedulingQueue
  /** Whether the pod is one of the profiles' and waits for a node. */
  readonly isWaiting: (pod: Stored<Pod>) => boolean
  /** Something changed: there may be pods to schedule. */
  readonly onChange: () => void
  readonly onError: (error: unknown) => void
}

interface DisruptionBudget extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector }
  readonly status?: {
    readonly disruptionsAllowed?: number
    readonly disruptedPods?: Readonly<Record<string, string>>
  }
}
const budgetsRef: ResourceRef = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
}

export class ClusterFeed {
  readonly pods: Informer<Pod>
  readonly claims: Informer<PersistentVolumeClaim>
  readonly #options: ClusterFeedOptions
  readonly #nodes: Informer<Node>
  readonly #volumes: Informer<PersistentVolume>
  readonly #classes: Informer<StorageClass>
  readonly #namespaces: Informer<Namespace>
  readonly #budgets: Informer<DisruptionBudget>

  constructor(options: ClusterFeedOptions) {
    this.#options = options
    const { client, onError } = options
    this.pods = new Informer<Pod>({ client, ref: podType, onError })
    this.claims = new Informer({ client, ref: persistentVolumeClaimType, onError })
    this.#nodes = new Informer<Node>({ client, ref: nodeType, onError })
    this.#volumes = new Informer({ client, ref: persistentVolumeType, onError })
    this.#classes = new Informer({ client, ref: storageClassType, onError })
    this.#namespaces = new Informer<Namespace>({ client, ref: namespaceType, onError })
    this.#budgets = new Informer({
      client,
      ref: budgetsRef,
      // A server without budgets: nothing to keep to.
      onError: (reason) => (isApiError(reason, 404) ? undefined : onError(reason)),
    })
    this.#subscribe()
  }

  /** Resolves when the view shows the cluster. */
  async start(): Promise<void> {
    const needed = [
      this.#namespaces,
      this.#classes,
      this.#volumes,
      this.claims,
      this.#nodes,
      this.pods,
    ]
    for (const informer of [...needed, this.#budgets]) informer.start()
    await Promise.all(needed.map((informer) => informer.synced()))
  }

  close(): void {
    for (const informer of [
      this.pods,
      this.claims,
      this.#nodes,
      this.#volumes,
      this.#classes,
      this.#namespaces,
      this.#budgets,
    ])
      informer.close()
  }

  /** What disruption budgets allow now. */
  budgets(): Budget[] {
    return this.#budgets.list().map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace ?? '',
      selector: spec.selector,
      disruptionsAllowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    }))
  }

  #subscribe(): void {
    const { view } = this.#options
    const { volumes } = view
    this.#nodes.onChange((key, node) => this.#nodeChanged(key, node))
    this.pods.onChange((_key, pod, previous) => this.#podChanged(pod, previous))
    this.#namespaces.onChange((key, namespace, previous) => {
      const labels = namespace?.metadata.labels
      if (namespace !== undefined && previous?.metadata.labels === labels) return
      view.topology.setNamespace(key, namespace === undefined ? undefined : (labels ?? {}))
      this.#tell('podRelabelled')
    })
    this.claims.onChange((key, claim) => {
      volumes.setClaim(key, claim)
      this.#tell('volumes')
    })
    this.#volumes.onChange((key, volume) => {
      volumes.setVolume(key, volume)
      this.#tell('volumes')
    })
    this.#classes.onChange((key, storageClass) => {
      volumes.setClass(key, storageClass)
      this.#tell('volumes')
    })
  }

  #nodeChanged(key: string, node: Stored<Node> | undefined): void {
    const { view } = this.#options
    if (node === undefined) {
      view.removeNode(key)
      this.#tell('nodeRemoved')
      return
    }
    const { isNew, allocatable, labels, taints } = view.setNode(node)
    if (isNew) this.#tell('nodeAdded')
    else {
      if (allocatable) this.#tell('nodeAllocatable')
      if (labels) this.#tell('nodeLabels')
      if (taints) this.#tell('nodeTaints')
    }
  }

  #podChanged(pod: Stored<Pod> | undefined, previous: Stored<Pod> | undefined): void {
    const { view, queue, isWaiting, onChange } = this.#options
    if (previous !== undefined && previous.metadata.uid !== pod?.metadata.uid) {
      const { uid } = previous.metadata
      queue.remove(uid)
      if (view.nominationOf(uid) !== undefined) view.nominate(view.factsOf(previous), undefined)
      if (view.isPlaced(uid)) {
        view.removePod(uid)
        this.#tell('podGone')
      }
    }
    if (pod === undefined) return
    const { uid } = pod.metadata
    const wasPlaced = view.placed(uid)
    view.setPod(pod)
    const isPlaced = view.placed(uid)
    if (wasPlaced !== undefined && isPlaced === undefined) this.#tell('podGone')
    else if (isPlaced !== undefined && wasPlaced === undefined) this.#tell('podAssigned')
    else if (isPlaced !== undefined && isPlaced.podClass !== wasPlaced?.podClass)
      this.#tell('podRelabelled')
    if (isPlaced === undefined && isWaiting(pod)) {
      this.#takeNomination(pod)
      queue.put(pod)
      onChange()
    } else if (previous !== undefined && (previous.spec.nodeName ?? '') === '') queue.remove(uid)
  }

  /** After a restart, nominations are read back from the pods. */
  #takeNomination(pod: Stored<Pod>): void {
    const { view } = this.#options
    const { nominatedNodeName = '' } = pod.status
    if (nominatedNodeName !== '' && view.nominationOf(pod.metadata.uid) === undefined)
      view.nominate(view.factsOf(pod), nominatedNodeName)
  }

  #tell(change: ClusterChange): void {
    this.#options.queue.changed(change)
    this.#options.onChange()
  }
}
