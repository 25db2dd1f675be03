// One kind of object, typed: what a program reads and writes of it, without naming the collection each time.
import type { Json, KubeObject, Stored } from '../resources/object.ts'
import type { ApiClient, ApplyOptions, ListOptions, PatchType, ResourceRef } from './api-client.ts'
import { Informer, type InformerOptions } from './informer.ts'
import { isApiError } from './is-api-error.ts'

export interface ObjectName {
  /** Left out for cluster-scoped kinds. */
  readonly namespace?: string
  readonly name: string
}

const pageItemsMax = 500

export class Resource<T extends KubeObject> {
  readonly ref: ResourceRef
  readonly #client: ApiClient

  constructor(client: ApiClient, ref: ResourceRef) {
    this.#client = client
    this.ref = ref
  }

  get({ namespace, name }: ObjectName): Promise<Stored<T>> {
    return this.#client.get<T>(this.ref, namespace, name)
  }

  /** undefined where there is none. */
  async find(name: ObjectName): Promise<Stored<T> | undefined> {
    try {
      return await this.get(name)
    } catch (reason) {
      if (isApiError(reason, 404)) return undefined
      throw reason
    }
  }

  /** All of them, read in pages of one state. */
  async list(options: Omit<ListOptions, 'limit' | 'continue'> = {}): Promise<Stored<T>[]> {
    const items: Stored<T>[] = []
    let next: string | undefined
    do {
      const page = await this.#client.list<T>(this.ref, {
        ...options,
        limit: pageItemsMax,
        ...(next === undefined ? {} : { continue: next }),
      })
      items.push(...page.items)
      next = page.continue
    } while (next !== undefined && next !== '')
    return items
  }

  create(object: T): Promise<Stored<T>> {
    return this.#client.create(this.ref, object)
  }

  /** Fails with Conflict when the object changed since it was read. */
  update(object: T): Promise<Stored<T>> {
    return this.#client.update(this.ref, object)
  }

  updateStatus(object: T): Promise<Stored<T>> {
    return this.#client.update(this.ref, object, 'status')
  }

  patch(
    { namespace, name }: ObjectName,
    patch: Json,
    type: PatchType = 'merge',
  ): Promise<Stored<T>> {
    return this.#client.patch<T>(this.ref, namespace, name, type, patch)
  }

  patchStatus({ namespace, name }: ObjectName, patch: Json): Promise<Stored<T>> {
    return this.#client.patch<T>(this.ref, namespace, name, 'merge', patch, 'status')
  }

  /** Server-side apply. */
  apply(object: T, options: ApplyOptions): Promise<Stored<T>> {
    return this.#client.apply(this.ref, object, options)
  }

  delete(
    { namespace, name }: ObjectName,
    options?: Parameters<ApiClient['delete']>[3],
  ): Promise<void> {
    return this.#client.delete(this.ref, namespace, name, options)
  }

  /** A cache that follows the collection; start() it. */
  informer(options: Omit<InformerOptions<T>, 'client' | 'ref'> = {}): Informer<T> {
    return new Informer<T>({ ...options, client: this.#client, ref: this.ref })
  }
}
