// The caches that controllers share: one informer per kind, made when the first controller asks for it, with the indexes they ask by.
import type { ApiClient } from '../client/api-client.ts'
import { Informer } from '../client/informer.ts'
import { controllerOf } from '../controllers/owner.ts'
import type { KubeObject, ResourceType } from '../resources/object.ts'
import type { Caches } from './controller.ts'
import { collectionName, type SeenView } from './expectations.ts'

export interface CollectedKind {
  readonly type: ResourceType
  readonly informer: Informer<KubeObject>
}

/**
 * On every informer. `owner`: uids of all owners. `uncontrolled`: the namespace of objects that no controller has. More are added with
 * `informer.addIndex(name, of)`.
 */
export const sharedIndexes = {
  namespace: (object: KubeObject): string[] => [object.metadata.namespace ?? ''],
  owner: (object: KubeObject): string[] =>
    (object.metadata.ownerReferences ?? []).map(({ uid }) => uid),
  uncontrolled: (object: KubeObject): string[] =>
    controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [],
}

export class Informers implements Caches {
  readonly #kinds = new Map<string, CollectedKind>()
  readonly #seen = new Map<string, SeenView>()
  readonly #client: ApiClient
  readonly #onError: (error: unknown) => void
  #isStarted = false

  constructor(client: ApiClient, onError: (error: unknown) => void) {
    this.#client = client
    this.#onError = onError
  }

  /** The one informer of this kind. Asked for after start(), it is started at once. */
  of<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
    const name = collectionName(type)
    const known = this.#kinds.get(name)
    // One kind has one type of objects, so what was stored under its name is what is asked for.
    if (known !== undefined) return known.informer as unknown as Informer<T>
    const informer = new Informer<T>({
      client: this.#client,
      ref: type,
      indexes: sharedIndexes,
      onError: this.#onError,
    })
    this.#kinds.set(name, { type, informer } as unknown as CollectedKind)
    this.#seen.set(name, informer)
    if (this.#isStarted) informer.start()
    return informer
  }

  drop(type: ResourceType): void {
    const name = collectionName(type)
    this.#kinds.get(name)?.informer.close()
    this.#kinds.delete(name)
    this.#seen.delete(name)
  }

  /** All that anybody asked for so far. */
  get all(): readonly CollectedKind[] {
    return [...this.#kinds.values()]
  }

  /** For expectations, by collectionName; grows as kinds are asked for. */
  get views(): ReadonlyMap<string, SeenView> {
    return this.#seen
  }

  start(): void {
    this.#isStarted = true
    for (const { informer } of this.#kinds.values()) informer.start()
  }
  async synced(): Promise<void> {
    await Promise.all(this.all.map(({ informer }) => informer.synced()))
  }
  close(): void {
    for (const { informer } of this.#kinds.values()) informer.close()
  }
}
