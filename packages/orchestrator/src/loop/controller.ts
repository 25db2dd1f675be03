// What a controller is to the shell: a name, and, over the shared caches, which changes concern which keys and what to do for a key. What
// is done is decided by a pure function of src/controllers; a controller here only builds its view.
import type { ApiClient } from '../client/api-client.ts'
import type { ChangeHandler } from '../client/informer.ts'
import { type IndexFunction, keyOf, objectKey } from '../client/object-cache.ts'
import { controllerOf } from '../controllers/owner.ts'
import type { KubeObject, ResourceType, Stored } from '../resources/object.ts'
import type { MetricsSource } from './metrics-source.ts'
import type { ControllerOptions } from './controller-loop.ts'
import type { CertificateIssuer } from './controllers/certificate-controller.ts'

/** A cache of one kind that all controllers share: the part of an Informer that they need. */
export interface SharedCache<T extends KubeObject> {
  readonly seenResourceVersion: string
  get(key: string): Stored<T> | undefined
  list(): readonly Stored<T>[]
  find(index: string, value: string): readonly Stored<T>[]
  /** Whether find() has nothing for any value. */
  isIndexEmpty(index: string): boolean
  addIndex(name: string, of: IndexFunction<T>): void
  onChange(handler: ChangeHandler<T>): void
  synced(): Promise<void>
}
export interface CachedKind {
  readonly type: ResourceType
  readonly informer: SharedCache<KubeObject>
}
/** Informers, or what a simulation has in their place. */
export interface Caches {
  of<T extends KubeObject>(type: ResourceType<T>): SharedCache<T>
  /** The kind is not served any more: its cache ends. */
  drop(type: ResourceType): void
  /** All that anybody asked for so far. */
  readonly all: readonly CachedKind[]
}

/** The kinds that the server has; those that users bring come and go. */
export interface ServedKinds {
  /** Each once, in the version that is stored. */
  list(): readonly ResourceType[]
  onChange(listener: () => void): void
}

/** What a controller may look through. */
export interface ControllerContext {
  readonly kinds: ServedKinds
  readonly informers: Caches
  /** For what no cache holds, e.g. metrics. Writes are actions. */
  readonly client: ApiClient
  /** undefined: nobody signs. */
  readonly issuer?: CertificateIssuer
  /** By which pods know the apiserver; PEM. undefined: it has none that all know. */
  readonly rootCertificate?: string
  /** Left out: nothing is measured. */
  readonly metrics?: MetricsSource
  /** Removes the folder of a volume on a node; rejects while the node cannot be reached. Left out: there are no folders. */
  readonly removeVolume?: (nodeName: string, path: string) => Promise<void>
  /** Epoch milliseconds. */
  readonly now: () => number
}

export type ControllerParts = Pick<
  ControllerOptions,
  'watches' | 'reconcile' | 'backOff' | 'workers'
>

/** One file each in loop/controllers, one line each in all-controllers.ts. */
export interface Controller {
  /** As upstream's: the service account that it acts as. */
  readonly name: string
  /** What its events name as their source, where that is not the name. */
  readonly component?: string
  /** Called once, before the informers start: asks for its informers and adds its indexes. */
  connect(context: ControllerContext): ControllerParts
}

/** For kinds whose keys are their own objects. */
export const ownKey = (object: Stored<KubeObject>): string[] => [objectKey(object)]

/** The key of the controller of this kind, if the object has one. */
export const controllerKey = (object: Stored<KubeObject>, kind: string): string | undefined => {
  const controller = controllerOf(object)
  return controller?.kind === kind ? keyOf(object.metadata.namespace, controller.name) : undefined
}

/**
 * Keys for a dependent: its controller of this kind, or, if it has no controller at all, whoever might adopt it. One of another controller
 * concerns nobody here.
 */
export const controllerKeys =
  <T extends KubeObject>(
    kind: string,
    adopters: (object: Stored<T>) => readonly Stored<KubeObject>[],
  ) =>
  (object: Stored<T>): string[] => {
    const key = controllerKey(object, kind)
    if (key !== undefined) return [key]
    return controllerOf(object) === undefined ? adopters(object).map(objectKey) : []
  }

/** What an owner may claim of a kind: what it owns, and what nobody controls. */
export const candidatesOf = <T extends KubeObject>(
  cache: SharedCache<T>,
  namespace: string,
  uid: string,
): readonly Stored<T>[] => {
  const owned = cache.find('owner', uid)
  const free = cache.find('uncontrolled', namespace)
  return free.length === 0 ? owned : [...new Set([...owned, ...free])]
}
