// Starts every controller over shared caches. A controller here is which changes concern which keys, and the view that its pure reconcile
// function gets; what it does is in src/controllers.
import type { ApiClient } from '../client/api-client.ts'
import { keyOf, objectKey, splitKey } from '../client/object-cache.ts'
import { nothing, type Reconciliation } from '../controllers/action.ts'
import { reconcileDeployment } from '../controllers/deployment/deployment.ts'
import { newReplicaSetName } from '../controllers/deployment/replica-sets.ts'
import { reconcileEndpoints } from '../controllers/endpoints.ts'
import { reconcileGarbage } from '../controllers/garbage-collector.ts'
import { reconcileNamespace } from '../controllers/namespace.ts'
import { reconcileMissingNode, reconcileNode } from '../controllers/node-lifecycle.ts'
import { controllerOf } from '../controllers/owner.ts'
import { reconcileReplicaSet } from '../controllers/replica-set.ts'
import { resourceTypes } from '../resources/index.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { ControllerLoop, watchOf, type ControllerOptions } from './controller-loop.ts'
import { GarbageViews } from './garbage-view.ts'
import { Informers } from './informers.ts'
import { NodeSigns } from './node-signs.ts'

export interface ControllersOptions {
  readonly client: ApiClient
  /** Told of failed requests, which are tried again. */
  readonly onError?: (error: unknown) => void
}

type Definition = Pick<ControllerOptions, 'name' | 'watches' | 'reconcile' | 'backOff'>

/** Emptying a namespace waits for pods to end: look again soon. */
const namespaceBackOff = { firstMs: 50, maxMs: 2000 }

/** Resolves when all caches are filled and all controllers work. */
export async function startControllers(
  options: ControllersOptions,
): Promise<{ close(): Promise<void> }> {
  const onError = options.onError ?? (() => undefined)
  const informers = new Informers(options.client, onError)
  const views = informers.views()
  const loops = definitions(informers).map(
    (definition) => new ControllerLoop({ ...definition, client: options.client, views, onError }),
  )
  informers.start()
  await informers.synced()
  await Promise.all(loops.map((loop) => loop.start()))
  return {
    close: async () => {
      informers.close()
      await Promise.all(loops.map((loop) => loop.close()))
    },
  }
}

const definitions = (informers: Informers): Definition[] => [
  replicaSets(informers),
  deployments(informers),
  nodes(informers),
  namespaces(informers),
  endpoints(informers),
  garbage(informers),
]

const own = (object: Stored<KubeObject>): string[] => [objectKey(object)]

/** The key of the controller of this kind, if the object has one. */
const controllerKey = (object: Stored<KubeObject>, kind: string): string | undefined => {
  const controller = controllerOf(object)
  return controller?.kind === kind ? keyOf(object.metadata.namespace, controller.name) : undefined
}

function replicaSets({ pods, replicaSets: sets }: Informers): Definition {
  const setsOf = (pod: Stored<Pod>): string[] => {
    const key = controllerKey(pod, 'ReplicaSet')
    if (key !== undefined || controllerOf(pod) !== undefined) return key === undefined ? [] : [key]
    return sets
      .find('namespace', pod.metadata.namespace ?? '')
      .filter((set) => matchesSelector(set.spec.selector, pod.metadata.labels))
      .map(objectKey)
  }
  return {
    name: 'replicaset-controller',
    watches: [watchOf(sets, own), watchOf(pods, setsOf)],
    reconcile: (key, nowMs) => {
      const replicaSet = sets.get(key)
      if (replicaSet === undefined) return nothing
      const { namespace = '', uid } = replicaSet.metadata
      const candidates = [...pods.find('owner', uid), ...pods.find('uncontrolled', namespace)]
      return reconcileReplicaSet({ replicaSet, pods: [...new Set(candidates)], nowMs })
    },
  }
}

function deployments({ deployments: all, replicaSets: sets, pods }: Informers): Definition {
  const deploymentsOf = (set: Stored<KubeObject>): string[] => {
    const key = controllerKey(set, 'Deployment')
    if (key !== undefined || controllerOf(set) !== undefined) return key === undefined ? [] : [key]
    return all
      .find('namespace', set.metadata.namespace ?? '')
      .filter(({ spec }) => matchesSelector(spec.selector, set.metadata.labels))
      .map(objectKey)
  }
  /** Recreate waits for the last old pod. */
  const recreatedBy = (pod: Stored<Pod>): string[] => {
    const set = sets.get(controllerKey(pod, 'ReplicaSet') ?? '')
    const key = set === undefined ? undefined : controllerKey(set, 'Deployment')
    return key !== undefined && all.get(key)?.spec.strategy.type === 'Recreate' ? [key] : []
  }
  return {
    name: 'deployment-controller',
    watches: [watchOf(all, own), watchOf(sets, deploymentsOf), watchOf(pods, recreatedBy)],
    reconcile: (key, nowMs) => {
      const deployment = all.get(key)
      if (deployment === undefined) return nothing
      const { namespace = '', uid } = deployment.metadata
      const named = sets.get(keyOf(namespace, newReplicaSetName(deployment)))
      const candidates = [
        ...sets.find('owner', uid),
        ...sets.find('uncontrolled', namespace),
        ...(named === undefined ? [] : [named]),
      ]
      const replicaSets = [...new Set(candidates)]
      const owned = replicaSets.flatMap((set) => pods.find('owner', set.metadata.uid))
      return reconcileDeployment({ deployment, replicaSets, pods: owned, nowMs })
    },
  }
}

function nodes({ nodes: all, pods, leases }: Informers): Definition {
  const signs = new NodeSigns(leases)
  const missingSinceMs = new Map<string, number>()
  return {
    name: 'node-controller',
    watches: [
      watchOf(all, own),
      watchOf(pods, (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName])),
      watchOf(leases, (lease) => (NodeSigns.isOfNode(lease) ? [lease.metadata.name] : [])),
    ],
    reconcile: (key, nowMs) => {
      const node = all.get(key)
      if (node === undefined) {
        const sinceMs = missingSinceMs.get(key) ?? nowMs
        const stranded = pods.find('node', key)
        if (stranded.length === 0) missingSinceMs.delete(key)
        else missingSinceMs.set(key, sinceMs)
        return reconcileMissingNode(stranded, sinceMs, nowMs)
      }
      missingSinceMs.delete(key)
      const seenAtMs = signs.seenAtMs(key, nowMs)
      return reconcileNode({ node, pods: pods.find('node', key), seenAtMs, nowMs })
    },
  }
}

function namespaces({ namespaces: all }: Informers): Definition {
  const refs = resourceTypes.filter(({ namespaced }) => namespaced)
  return {
    name: 'namespace-controller',
    backOff: namespaceBackOff,
    watches: [watchOf(all, own)],
    reconcile: (key) => {
      const namespace = all.get(key)
      return namespace === undefined ? nothing : reconcileNamespace(namespace, refs)
    },
  }
}

function endpoints({ services, endpoints: all, pods }: Informers): Definition {
  const servicesOf = (pod: Stored<Pod>): string[] =>
    services
      .find('namespace', pod.metadata.namespace ?? '')
      .filter(({ spec }) =>
        matchesSelector({ matchLabels: spec.selector ?? {} }, pod.metadata.labels),
      )
      .map(objectKey)
  return {
    name: 'endpoint-controller',
    watches: [watchOf(services, own), watchOf(all, own), watchOf(pods, servicesOf)],
    reconcile: (key): Reconciliation => {
      const { namespace = '', name } = splitKey(key)
      return reconcileEndpoints({
        key: { namespace, name },
        service: services.get(key),
        endpoints: all.get(key),
        pods: pods.find('namespace', namespace),
      })
    },
  }
}

function garbage({ collected }: Informers): Definition {
  const views = new GarbageViews(collected)
  return {
    name: 'garbage-collector',
    watches: collected.map((kind) =>
      watchOf(kind.informer, (object) => views.keysOf(kind, object)),
    ),
    reconcile: (key) => {
      const view = views.view(key)
      return view === undefined ? nothing : reconcileGarbage(view)
    },
  }
}
