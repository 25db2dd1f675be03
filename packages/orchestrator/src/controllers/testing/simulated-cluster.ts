// A cluster in memory for property tests: actions are applied one by one, so that a test can crash a controller between any two of them,
// and pods come alive, fail and end as a seeded random source says.
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Deployment } from '../../resources/deployment.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import type { Action, Reconciliation } from '../action.ts'
import { reconcileDeployment } from '../deployment/deployment.ts'
import { newReplicaSetName } from '../deployment/replica-sets.ts'
import { controllerOf } from '../owner.ts'
import { reconcileReplicaSet } from '../replica-set.ts'
import { readyStatus, startMs } from './objects.ts'

export class SimulatedCluster {
  readonly #collections = new Map<string, Map<string, Stored<KubeObject>>>()
  #revision = 1
  nowMs: number = startMs
  readonly events: string[] = []

  all<T extends KubeObject>(plural: string): Stored<T>[] {
    return [...(this.#collections.get(plural)?.values() ?? [])] as Stored<T>[]
  }
  get<T extends KubeObject>(plural: string, name: string): Stored<T> | undefined {
    return this.#collections.get(plural)?.get(name) as Stored<T> | undefined
  }
  put(plural: string, object: KubeObject): void {
    const collection = this.#collections.get(plural) ?? new Map<string, Stored<KubeObject>>()
    this.#collections.set(plural, collection)
    const name = object.metadata.name ?? `${object.metadata.generateName ?? ''}${this.#revision}`
    const before = collection.get(name)
    const isSpecChanged =
      JSON.stringify((object as { spec?: unknown }).spec) !==
      JSON.stringify((before as { spec?: unknown } | undefined)?.spec)
    const revision = this.#revision++
    collection.set(name, {
      ...object,
      metadata: {
        creationTimestamp: `${new Date(this.nowMs).toISOString().slice(0, 19)}Z`,
        ...object.metadata,
        name,
        uid: before?.metadata.uid ?? `uid-${revision}`,
        resourceVersion: String(revision),
        generation: (before?.metadata.generation ?? 0) + (isSpecChanged ? 1 : 0),
      },
    })
  }
  remove(plural: string, name: string): void {
    this.#collections.get(plural)?.delete(name)
  }

  /** Applies at most `budget` actions, as a controller that crashes then. Returns how many are left of it. */
  apply(actions: readonly Action[], budget: number): number {
    let left = budget
    for (const action of actions) {
      if (left <= 0) return 0
      left = action.type === 'slowStart' ? this.apply(action.actions, left) : left - 1
      if (action.type !== 'slowStart') this.#perform(action)
    }
    return left
  }

  #perform(action: Exclude<Action, { type: 'slowStart' }>): void {
    switch (action.type) {
      case 'create': {
        const pod = action.ref.plural === 'pods' ? { status: { phase: 'Pending' } } : {}
        this.put(action.ref.plural, { ...action.object, ...pod })
        break
      }
      case 'update': {
        const before = this.get(action.ref.plural, action.object.metadata.name ?? '')
        if (before?.metadata.resourceVersion !== action.object.metadata.resourceVersion) return
        this.put(action.ref.plural, action.object)
        break
      }
      case 'patch': {
        const before = this.get<KubeObject & { status?: object }>(action.ref.plural, action.name)
        if (before === undefined) return
        const patch = action.patch as {
          metadata?: object & { annotations?: object }
          status?: object
        }
        this.put(action.ref.plural, {
          ...before,
          metadata: {
            ...before.metadata,
            ...patch.metadata,
            annotations: { ...before.metadata.annotations, ...patch.metadata?.annotations },
          },
          ...(patch.status === undefined ? {} : { status: { ...before.status, ...patch.status } }),
        })
        break
      }
      case 'delete':
        this.#delete(action.ref.plural, action.name, action.uid)
        break
      case 'event':
        this.events.push(action.event.reason)
        break
      case 'deleteUnowned':
      case 'deleteContents':
        throw new Error(`the simulated cluster does not know ${action.type}`)
    }
    if ('done' in action && action.done !== undefined) this.events.push(action.done.reason)
  }

  /** Pods end gracefully: first they are marked, a later turn of the world removes them. */
  #delete(plural: string, name: string, uid: string): void {
    const object = this.get(plural, name)
    if (object?.metadata.uid !== uid) return
    if (plural !== 'pods') this.remove(plural, name)
    else if (object.metadata.deletionTimestamp === undefined)
      this.put(plural, {
        ...object,
        metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      })
  }

  /** One pod, chosen by `random` in [0, 1), gets on: starts, becomes ready, ends; with `isHostile` it may fail or be deleted. */
  turn(random: () => number, isHostile: boolean): void {
    this.nowMs += 100
    const pods = this.all<Pod>('pods')
    const pod = pods[Math.floor(random() * pods.length)]
    if (pod === undefined) return
    const { name, uid } = pod.metadata
    const mishap = isHostile ? random() : 1
    if (pod.metadata.deletionTimestamp !== undefined) this.remove('pods', name)
    else if (mishap < 0.1) this.#delete('pods', name, uid)
    else if (mishap < 0.2) this.put('pods', { ...pod, status: { phase: 'Failed' } } as Pod)
    else if (pod.status.phase === 'Pending')
      this.put('pods', {
        ...pod,
        spec: { ...pod.spec, nodeName: 'n1' },
        status: readyStatus,
      } as Pod)
    else if (pod.status.phase === 'Failed') this.remove('pods', name)
  }

  /** What the two controllers would do now, deployments first. */
  reconcilers(): (() => Reconciliation)[] {
    const sets = this.all<ReplicaSet>('replicasets')
    const pods = this.all<Pod>('pods')
    return [
      ...this.all<Deployment>('deployments').map((deployment) => () => {
        const name = newReplicaSetName(deployment)
        const mine = sets.filter(
          (set) =>
            controllerOf(set) === undefined ||
            controllerOf(set)?.uid === deployment.metadata.uid ||
            set.metadata.name === name,
        )
        return reconcileDeployment({ deployment, replicaSets: mine, pods, nowMs: this.nowMs })
      }),
      ...sets.map((replicaSet) => () => {
        const mine = pods.filter((pod) => {
          const controller = controllerOf(pod)
          return controller === undefined || controller.uid === replicaSet.metadata.uid
        })
        return reconcileReplicaSet({ replicaSet, pods: mine, nowMs: this.nowMs })
      }),
    ]
  }

  activePods(): Stored<Pod>[] {
    return this.all<Pod>('pods').filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        pod.status.phase !== 'Failed' &&
        matchesSelector({ matchLabels: { app: 'a' } }, pod.metadata.labels),
    )
  }
}
