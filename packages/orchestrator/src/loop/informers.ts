// The caches that controllers share: one informer per kind, with the indexes they ask by.
import type { ApiClient } from '../client/api-client.ts'
import { Informer } from '../client/informer.ts'
import type { IndexFunction } from '../client/object-cache.ts'
import { controllerOf } from '../controllers/owner.ts'
import { configMapType } from '../resources/config-map.ts'
import { deploymentType, type Deployment } from '../resources/deployment.ts'
import { endpointsType, type Endpoints } from '../resources/endpoints.ts'
import { leaseType, type Lease } from '../resources/lease.ts'
import { namespaceType, type Namespace } from '../resources/namespace.ts'
import { nodeType, type Node } from '../resources/node.ts'
import type { KubeObject, ResourceType } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { replicaSetType, type ReplicaSet } from '../resources/replica-set.ts'
import { secretType } from '../resources/secret.ts'
import { serviceAccountType } from '../resources/service-account.ts'
import { serviceType, type Service } from '../resources/service.ts'
import { collectionName, type SeenView } from './expectations.ts'

export interface CollectedKind {
  readonly type: ResourceType
  readonly informer: Informer<KubeObject>
}

/** `owner`: uids of all owners. `uncontrolled`: the namespace of objects that no controller has. */
const indexes = {
  namespace: (object: KubeObject): string[] => [object.metadata.namespace ?? ''],
  owner: (object: KubeObject): string[] =>
    (object.metadata.ownerReferences ?? []).map(({ uid }) => uid),
  uncontrolled: (object: KubeObject): string[] =>
    controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [],
}

export class Informers {
  readonly pods: Informer<Pod>
  readonly nodes: Informer<Node>
  readonly replicaSets: Informer<ReplicaSet>
  readonly deployments: Informer<Deployment>
  readonly namespaces: Informer<Namespace>
  readonly services: Informer<Service>
  readonly endpoints: Informer<Endpoints>
  readonly leases: Informer<Lease>
  /** Everything that can own or be owned. */
  readonly collected: readonly CollectedKind[]
  readonly #client: ApiClient
  readonly #onError: (error: unknown) => void

  constructor(client: ApiClient, onError: (error: unknown) => void) {
    this.#client = client
    this.#onError = onError
    this.pods = this.#informer<Pod>(podType, { node: (pod) => [pod.spec.nodeName ?? ''] })
    this.nodes = this.#informer<Node>(nodeType)
    this.replicaSets = this.#informer<ReplicaSet>(replicaSetType)
    this.deployments = this.#informer<Deployment>(deploymentType)
    this.namespaces = this.#informer<Namespace>(namespaceType)
    this.services = this.#informer<Service>(serviceType)
    this.endpoints = this.#informer<Endpoints>(endpointsType)
    this.leases = this.#informer<Lease>(leaseType)
    this.collected = [
      kind(podType, this.pods),
      kind(replicaSetType, this.replicaSets),
      kind(deploymentType, this.deployments),
      kind(serviceType, this.services),
      kind(endpointsType, this.endpoints),
      kind(leaseType, this.leases),
      kind(nodeType, this.nodes),
      kind(namespaceType, this.namespaces),
      kind(configMapType, this.#informer(configMapType)),
      kind(secretType, this.#informer(secretType)),
      kind(serviceAccountType, this.#informer(serviceAccountType)),
    ]
  }

  /** For expectations, by collectionName. */
  views(): Map<string, SeenView> {
    return new Map(this.collected.map(({ type, informer }) => [collectionName(type), informer]))
  }
  start(): void {
    for (const { informer } of this.collected) informer.start()
  }
  async synced(): Promise<void> {
    await Promise.all(this.collected.map(({ informer }) => informer.synced()))
  }
  close(): void {
    for (const { informer } of this.collected) informer.close()
  }

  #informer<T extends KubeObject>(
    type: ResourceType<T>,
    more: Readonly<Record<string, IndexFunction<T>>> = {},
  ): Informer<T> {
    return new Informer<T>({
      client: this.#client,
      ref: type,
      indexes: { ...indexes, ...more },
      onError: this.#onError,
    })
  }
}

/** What all kinds have in common; informers only hand objects out, so the narrower type is safe to read through. */
const kind = <T extends KubeObject>(type: ResourceType<T>, informer: Informer<T>): CollectedKind =>
  ({ type, informer }) as unknown as CollectedKind
