// The ApiClient without a socket: calls the registries of an apiserver in the same process. Objects are not copied: what it returns
// is shared with the watch cache.
import type { Json, KubeObject, Stored } from '../resources/object.ts'
import { mergeKeysOf } from '../resources/schema/merge-keys.ts'
import type { TokenRequests } from '../apiserver/access/tokens/token-requests.ts'
import { apiErrorFrom, noSuchResource } from '../apiserver/api-errors.ts'
import { applyTo } from '../apiserver/registry/apply.ts'
import { decodeAs, lenient } from '../apiserver/registry/decode.ts'
import { applyPatch } from '../apiserver/registry/patch.ts'
import type { Registries } from '../apiserver/registry/registries.ts'
import type { Place, Registry } from '../apiserver/registry/registry.ts'
import { type Authorizer, checkAccess } from '../apiserver/access/authorizer.ts'
import { systemUser, type User } from '../apiserver/access/user.ts'
import type { WriteOptions } from '../apiserver/registry/request-options.ts'
import { filterOf } from '../apiserver/registry/selection.ts'
import { bindPod, changeScale, changeSubresource } from '../apiserver/subresources/subresources.ts'
import type { CacheCursor } from '../apiserver/storage/resource-cache.ts'
import type { TokenRequestSpec, TokenRequestStatus } from './token-request.ts'
import type {
  ApiClient,
  ApiWatchHandlers,
  ApplyOptions,
  ListOptions,
  ListResult,
  PatchType,
  ResourceRef,
} from './api-client.ts'

/** What a client that acts as a user needs of the apiserver's access control. */
export interface LocalAccess {
  readonly authorizer: Authorizer
  readonly tokenRequests: TokenRequests
}

export class LocalApiClient implements ApiClient {
  readonly #registries: Registries
  readonly #options: WriteOptions
  readonly #access: LocalAccess | undefined

  /** No `access`: the user may do everything. */
  constructor(registries: Registries, user: User = systemUser, access?: LocalAccess) {
    this.#registries = registries
    this.#access = access
    this.#options = { user, dryRun: false, fieldManager: user.name }
  }

  async get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored<T>> {
    const registry = this.#registries.get(ref)
    const place = placeOf(registry, namespace, name)
    this.#check('get', registry, place)
    const stored = await registry.get(place)
    return stored.object as Stored<T>
  }

  async list<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    const registry = this.#registries.get(ref)
    this.#check('list', registry, { namespace: options.namespace, name: '' })
    const page = await registry.list(filterOf(registry.type, selectionOf(options)), {
      limit: options.limit ?? 0,
      continue: options.continue ?? '',
      resourceVersion: '',
      resourceVersionMatch: '',
    })
    return {
      items: page.items.map((stored) => stored.object as Stored<T>),
      resourceVersion: String(page.revision),
      continue: page.continue,
    }
  }

  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions & { resourceVersion: string },
    handlers: ApiWatchHandlers<T>,
  ): () => void {
    let cursor: CacheCursor | undefined
    try {
      const registry = this.#registries.get(ref)
      this.#check('watch', registry, { namespace: options.namespace, name: '' })
      cursor = registry.watch(
        filterOf(registry.type, selectionOf(options)),
        Number(options.resourceVersion),
      )
    } catch (reason) {
      queueMicrotask(() => {
        handlers.ended(apiErrorFrom(reason))
      })
      return () => undefined
    }
    return deliver(cursor, handlers)
  }

  async create<T extends KubeObject>(ref: ResourceRef, object: T): Promise<Stored<T>> {
    const registry = this.#registries.get(ref)
    const decoded = decode(registry, object)
    const { namespace } = placeOf(registry, decoded.metadata.namespace, '')
    this.#check('create', registry, { namespace, name: decoded.metadata.name ?? '' })
    const stored = await registry.create(namespace, decoded, this.#options)
    return stored.object as Stored<T>
  }

  async update<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    subresource?: 'status' | 'finalize' | 'approval',
  ): Promise<Stored<T>> {
    const registry = this.#registries.get(ref)
    const decoded = decode(registry, object)
    const { namespace, name = '' } = decoded.metadata
    const place = placeOf(registry, namespace, name)
    this.#check('update', registry, place, subresource)
    const change = (): KubeObject => decoded
    const stored =
      subresource === undefined
        ? (await registry.update(place, decoded, this.#options)).stored
        : await changeSubresource(registry, place, { subresource, change, options: this.#options })
    return stored.object as Stored<T>
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: 'status' | 'scale',
  ): Promise<Stored<T>> {
    const registry = this.#registries.get(ref)
    const place = placeOf(registry, namespace, name)
    this.#check('patch', registry, place, subresource)
    const mergeKeys = mergeKeysOf(registry.type)
    const options = this.#options
    const patched = (current: object): Json => applyPatch(current as Json, type, patch, mergeKeys)
    if (subresource === 'scale') {
      const scale = await changeScale(
        registry,
        place,
        (current) => patched(current) as unknown as KubeObject,
        options,
      )
      return scale as unknown as Stored<T>
    }
    const change = (current: Stored<KubeObject>): KubeObject =>
      decodeAs(registry.type, patched(current), lenient)
    const stored =
      subresource === undefined
        ? await registry.change(place, change, options)
        : await changeSubresource(registry, place, { subresource, change, options })
    return stored.object as Stored<T>
  }

  async apply<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    { fieldManager, force = false }: ApplyOptions,
  ): Promise<Stored<T>> {
    const registry = this.#registries.get(ref)
    const { namespace, name = '' } = object.metadata
    const place = placeOf(registry, namespace, name)
    this.#check('patch', registry, place)
    const { stored } = await applyTo(registry, {
      type: registry.type,
      place,
      config: object as unknown as Json,
      force,
      options: { ...this.#options, fieldManager },
      nowMs: this.#registries.now(),
      decoding: lenient,
    })
    return stored.object as Stored<T>
  }

  async delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options: Parameters<ApiClient['delete']>[3] = {},
  ): Promise<void> {
    const registry = this.#registries.get(ref)
    const place = placeOf(registry, namespace, name)
    this.#check('delete', registry, place)
    await registry.delete(place, {
      ...this.#options,
      gracePeriodSeconds: options.gracePeriodSeconds,
      uid: options.uid,
      resourceVersion: options.resourceVersion,
      propagationPolicy: options.propagationPolicy,
    })
  }

  async bind(namespace: string, pod: string, node: string): Promise<void> {
    const registry = this.#registries.get({ group: '', version: 'v1', plural: 'pods' })
    const place: Place = { namespace, name: pod }
    this.#check('create', registry, place, 'binding')
    await bindPod(registry, place, node, this.#options)
  }

  async createToken(
    namespace: string,
    serviceAccount: string,
    spec: TokenRequestSpec,
  ): Promise<TokenRequestStatus> {
    if (this.#access === undefined) throw noSuchResource()
    const registry = this.#registries.get({ group: '', version: 'v1', plural: 'serviceaccounts' })
    const place: Place = { namespace, name: serviceAccount }
    this.#check('create', registry, place, 'token')
    const object = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec,
    } as KubeObject
    const write = { place, object, oldObject: undefined, options: this.#options } as const
    await registry.admit({ operation: 'CREATE', subresource: 'token', ...write })
    return this.#access.tokenRequests.create(namespace, serviceAccount, spec)
  }

  /** Throws ApiError Forbidden. */
  #check(verb: string, { type }: Registry, { namespace, name }: Place, subresource = ''): void {
    if (this.#access === undefined) return
    checkAccess(this.#access.authorizer, {
      user: this.#options.user,
      verb,
      isResource: true,
      path: '',
      group: type.group,
      version: type.version,
      resource: type.plural,
      subresource,
      namespace: namespace ?? '',
      name,
    })
  }
}

const selectionOf = (options: ListOptions): Parameters<typeof filterOf>[1] => ({
  namespace: options.namespace,
  labelSelector: options.labelSelector ?? '',
  fieldSelector: options.fieldSelector ?? '',
})

/** The namespace given for a cluster-scoped kind does not count. */
const placeOf = ({ type }: Registry, namespace: string | undefined, name: string): Place => ({
  namespace: type.namespaced ? namespace : undefined,
  name,
})

const decode = (registry: Registry, object: KubeObject): KubeObject =>
  decodeAs(registry.type, object as unknown as Json, lenient)

/** Calls the handlers for each change, never within the call that opened the watch. Returns close(). */
const deliver = <T extends KubeObject>(
  cursor: CacheCursor,
  handlers: ApiWatchHandlers<T>,
): (() => void) => {
  let isEnded = false
  const end = (error: Error | undefined): void => {
    if (isEnded) return
    isEnded = true
    cursor.close()
    handlers.ended(error)
  }
  const pump = (): void => {
    try {
      for (;;) {
        // A handler may close the watch.
        const change = isEnded ? undefined : cursor.next()
        if (change === undefined) return
        handlers.event({ type: change.type, object: change.object.object as Stored<T> })
      }
    } catch (reason) {
      end(reason instanceof Error ? reason : new Error(String(reason)))
    }
  }
  queueMicrotask(pump)
  cursor.onWake = pump
  return () => {
    end(undefined)
  }
}
