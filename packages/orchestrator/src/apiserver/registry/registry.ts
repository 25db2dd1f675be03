// The generic registry: create, read, update and delete of one kind, by its ResourceType alone. Every write is a compare-and-swap on
// the store's revision; a change is computed from the cached object first and again from the store's when that was stale.
import { ApiError } from '../../client/api-client.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { generateName } from '../../resources/names.ts'
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import {
  alreadyExists,
  badRequest,
  modifiedConflict,
  notFound,
  type ResourceName,
} from '../api-errors.ts'
import { CacheCursor, type CacheFilter, type ResourceCache } from '../storage/resource-cache.ts'
import { collectionPrefix, keyBelow } from '../storage/resource-keys.ts'
import { ObjectCodec, StoredObject } from '../storage/stored-object.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import type { Conversion } from '../custom/conversion.ts'
import type { Store, StoredValue } from '../store.ts'
import type { Admission } from '../admission/admission.ts'
import { afterUpdate, markForDeletion, type Outcome } from './deletion.ts'
import { inNamespace } from './in-namespace.ts'
import { type ListPage, readList } from './list-reader.ts'
import type { DeleteOptions, ListQuery, WriteOptions } from './request-options.ts'
import { requireVersion } from './required-version.ts'
import { withStatusOf } from './status-update.ts'
import { type AdmittedWrite, WritePreparation } from './write-preparation.ts'

export interface RegistryOptions {
  readonly type: ResourceType
  readonly store: Store
  readonly watchCache: WatchCache
  readonly admission: Admission
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Objects vanish after that; left out: never. */
  readonly ttlSeconds?: number
  /** Of a kind whose versions a webhook converts. */
  readonly conversion?: Conversion
}

/** Where an object is: `namespace` undefined for cluster-scoped kinds. */
export interface Place {
  readonly namespace: string | undefined
  readonly name: string
}

/** Computes the next version; returning `current` itself changes nothing. Called again when `current` was stale. */
export type Change = (current: Stored<KubeObject>) => KubeObject | Promise<KubeObject>

/** Rounds of compare-and-swap before a busy object's write is given up with a conflict. */
const swapAttemptsMax = 64
const generateAttemptsMax = 8
/** Kinds that a PUT creates where they are missing. */
const createdByUpdate = new Set([
  'clusterrolebindings',
  'clusterroles',
  'endpoints',
  'events',
  'leases',
  'limitranges',
  'rolebindings',
  'roles',
  'services',
])

/** What a write left, and whether it made it. */
export interface Written {
  readonly stored: StoredObject
  readonly isCreated: boolean
}

export class Registry {
  readonly type: ResourceType
  readonly resource: ResourceName
  readonly cache: ResourceCache
  /** undefined: its versions differ by nothing that has to be asked for. */
  readonly conversion: Conversion | undefined
  readonly #store: Store
  readonly #watchCache: WatchCache
  readonly #preparation: WritePreparation
  readonly #codec: ObjectCodec
  readonly #prefix: string
  readonly #now: () => number
  readonly #ttlSeconds: number | undefined

  constructor(options: RegistryOptions) {
    const { type } = options
    this.type = type
    this.resource = { group: type.group, resource: type.plural }
    this.#store = options.store
    this.#watchCache = options.watchCache
    this.#preparation = new WritePreparation(options)
    this.conversion = options.conversion
    this.#codec = new ObjectCodec(type, options.conversion !== undefined)
    this.#prefix = collectionPrefix(type)
    this.#now = options.now
    this.#ttlSeconds = options.ttlSeconds
    this.cache = options.watchCache.addCollection(type, this.#codec)
  }

  /** The current object: from the cache when that shows all that was written before, else from the store. */
  async get(place: Place): Promise<StoredObject> {
    const key = keyOf(place)
    const isFresh = await this.#watchCache.isFresh()
    const stored = isFresh ? this.cache.get(key) : await this.#read(key)
    if (stored === undefined) throw notFound(this.resource, place.name)
    return stored
  }

  async list(filter: CacheFilter, query: ListQuery): Promise<ListPage> {
    return readList(
      {
        store: this.#store,
        watchCache: this.#watchCache,
        cache: this.cache,
        codec: this.#codec,
        prefix: this.#prefix,
      },
      filter,
      query,
    )
  }

  /** Changes after `revision`; undefined or 0: the current state first. Throws ApiError Expired. */
  watch(filter: CacheFilter, revision: number | undefined): CacheCursor {
    return revision === undefined || revision === 0
      ? this.cache.openCursorWithState(filter)
      : this.cache.openCursor(filter, revision)
  }

  async create(
    namespace: string | undefined,
    sent: KubeObject,
    options: WriteOptions,
  ): Promise<StoredObject> {
    const { type } = this
    if (type.namespaced && (namespace ?? '') === '') {
      throw badRequest('an empty namespace may not be set during creation')
    }
    if ((sent.metadata.resourceVersion ?? '') !== '') {
      throw badRequest('resourceVersion should not be set on objects to be created')
    }
    const inPlace = inNamespace(type, sent, namespace)
    const generatePrefix = inPlace.metadata.generateName ?? ''
    const isGenerated = (inPlace.metadata.name ?? '') === '' && generatePrefix !== ''
    for (let attempt = 1; ; attempt++) {
      const name = isGenerated ? generateName(generatePrefix, Math.random) : inPlace.metadata.name
      const object = await this.#preparation.forCreate(inPlace, { namespace, name }, options)
      const key = keyBelow(namespace, object.metadata.name ?? '')
      const value = this.#codec.encode(object)
      if (options.dryRun) {
        if ((await this.#read(key)) === undefined)
          return new StoredObject(this.#codec, key, value, 0)
        throw alreadyExists(this.resource, object.metadata.name ?? '')
      }
      const written = await this.#put(key, value, 0, object)
      if (written instanceof StoredObject) return written
      if (!isGenerated || attempt >= generateAttemptsMax) {
        throw alreadyExists(this.resource, object.metadata.name ?? '')
      }
    }
  }

  /** PUT: `sent` replaces what is there; with a resourceVersion only if that is still the current one. */
  async update(place: Place, sent: KubeObject, options: WriteOptions): Promise<Written> {
    const { name } = place
    this.checkPlace(sent, place)
    try {
      const replace = (): KubeObject => {
        requireVersion(this.type, name, sent)
        return sent
      }
      return { stored: await this.change(place, replace, options), isCreated: false }
    } catch (reason) {
      const isMissing = reason instanceof ApiError && reason.reason === 'NotFound'
      if (!isMissing || !this.#isCreatedByUpdate()) throw reason
      const { resourceVersion: _, ...metadata } = sent.metadata
      const object = { ...sent, metadata: { ...metadata, name } }
      const creation = { ...options, isCreateOnUpdate: true }
      return { stored: await this.create(place.namespace, object, creation), isCreated: true }
    }
  }

  /** A write of the main resource computed from the current object, with all the rules of an update. */
  async change(place: Place, change: Change, options: WriteOptions): Promise<StoredObject> {
    return this.swap(place, options, async (current) => {
      const changed = change(current)
      const sent = changed instanceof Promise ? await changed : changed
      if (sent === current) return { object: current }
      this.checkPlace(sent, place)
      return afterUpdate(
        this.type,
        await this.#preparation.forUpdate(sent, current, place, options),
      )
    })
  }

  /** A write of the status subresource: what is desired stays. */
  async changeStatus(place: Place, change: Change, options: WriteOptions): Promise<StoredObject> {
    return this.swap(place, options, async (current) => {
      const changed = change(current)
      const sent = changed instanceof Promise ? await changed : changed
      if (sent === current) return { object: current }
      this.checkPlace(sent, place)
      this.#preparation.checkIdentity(sent, current)
      const write = { place, object: withStatusOf(this.type, sent, current), current, options }
      const kept = withStatusOf(this.type, await this.admitted('status', write), current)
      return afterUpdate(this.type, this.#preparation.tracked(kept, current, options, 'status'))
    })
  }

  /** A write of the scale subresource: `change` asks admission itself. */
  async changeScale(
    place: Place,
    change: (current: Stored<KubeObject>) => Promise<KubeObject>,
    options: WriteOptions,
  ): Promise<StoredObject> {
    return this.swap(place, options, async (current) => {
      const scaled = await change(current)
      if (scaled === current) return { object: current }
      return { object: this.#preparation.forScale(scaled, current, place, options) }
    })
  }

  /** The object as it is now, marked for deletion, or as it last was; `isGone` tells which. */
  async delete(
    place: Place,
    options: DeleteOptions,
  ): Promise<{ stored: StoredObject; isGone: boolean }> {
    let isGone = false
    const stored = await this.swap(place, options, async (current) => {
      this.#preparation.checkPreconditions(current, options)
      await this.#preparation.admitted({
        operation: 'DELETE',
        subresource: '',
        place,
        object: current,
        oldObject: current,
        options,
      })
      const outcome = markForDeletion(this.type, current, options, this.#now())
      isGone = outcome.isRemoved === true
      return outcome
    })
    return { stored, isGone }
  }

  /** The object that an update of a subresource may store. Throws what admission refuses. */
  async admitted(
    subresource: string,
    update: {
      readonly place: Place
      readonly object: KubeObject
      readonly current: Stored<KubeObject>
      readonly options: WriteOptions
    },
  ): Promise<KubeObject> {
    const { current, ...rest } = update
    return this.admit({ operation: 'UPDATE', subresource, oldObject: current, ...rest })
  }

  /** Asks admission about a request that this registry does not store itself: CONNECT, or a subresource with a body of its own kind. */
  async admit(write: AdmittedWrite): Promise<KubeObject> {
    return this.#preparation.admitted(write)
  }

  /**
   * Compare-and-swap until `compute` was applied to the current object. `compute` may be called several times; what it throws is
   * thrown only when it was given the newest version.
   */
  async swap(
    place: Place,
    options: WriteOptions,
    compute: (current: Stored<KubeObject>) => Outcome | Promise<Outcome>,
  ): Promise<StoredObject> {
    const key = keyOf(place)
    let current = this.cache.get(key)
    let isFresh = false
    for (let attempt = 0; attempt < swapAttemptsMax; attempt++) {
      if (current === undefined) {
        current = await this.#read(key)
        isFresh = true
        if (current === undefined) throw notFound(this.resource, place.name)
      }
      const { conversion } = this
      const shown =
        conversion === undefined ? current.object : await conversion.one(current.object, this.type)
      const outcome = await tryCompute(compute, shown)
      if (outcome instanceof Error || this.#isUnchanged(outcome, current)) {
        if (isFresh) {
          if (outcome instanceof Error) throw outcome
          return current
        }
        current = undefined
        continue
      }
      if (options.dryRun) {
        const value = this.#codec.encode(outcome.object)
        return new StoredObject(this.#codec, key, value, current.revision)
      }
      const written = await this.#write(key, current, outcome)
      if (written instanceof StoredObject) return written
      current = this.#fromStore(written.current)
      if (current === undefined) throw notFound(this.resource, place.name)
      isFresh = true
    }
    throw modifiedConflict(this.resource, place.name)
  }

  /** Throws ApiError BadRequest when `sent` names another place. */
  checkPlace(sent: KubeObject, { namespace, name }: Place): void {
    const { metadata } = sent
    if ((metadata.name ?? '') !== '' && metadata.name !== name) {
      throw badRequest(
        `the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${name})`,
      )
    }
    inNamespace(this.type, sent, namespace)
  }

  #isCreatedByUpdate(): boolean {
    return this.type.custom === undefined && createdByUpdate.has(this.type.plural)
  }

  async #write(
    key: string,
    current: StoredObject,
    outcome: Outcome,
  ): Promise<StoredObject | { readonly current: StoredValue | undefined }> {
    const storeKey = this.#prefix + key
    if (outcome.isRemoved === true) {
      const result = await this.#store.delete(storeKey, current.revision)
      return result.ok ? current.at(result.revision) : result
    }
    const value = this.#codec.encode(outcome.object)
    return this.#put(key, value, current.revision, outcome.object)
  }

  /** `expectedRevision` 0: only if it is not there. */
  async #put(
    key: string,
    value: Buffer,
    expectedRevision: number,
    object: KubeObject,
  ): Promise<StoredObject | { readonly current: StoredValue | undefined }> {
    const storeKey = this.#prefix + key
    const watchCache = this.#watchCache
    watchCache.expectWrite(storeKey, value, object)
    try {
      const result =
        expectedRevision === 0
          ? await this.#store.create(storeKey, value, this.#ttlSeconds)
          : await this.#store.update(storeKey, value, expectedRevision, this.#ttlSeconds)
      if (result.ok)
        return watchCache.written(
          this.#prefix,
          { key: storeKey, value, revision: result.revision },
          object,
        )
      watchCache.forgetWrite(storeKey, value)
      return result
    } catch (reason) {
      watchCache.forgetWrite(storeKey, value)
      throw reason
    }
  }

  #isUnchanged(outcome: Outcome, current: StoredObject): boolean {
    if (outcome.isRemoved === true) return false
    return outcome.object === current.object || jsonEqual(outcome.object, current.object)
  }

  async #read(key: string): Promise<StoredObject | undefined> {
    return this.#fromStore(await this.#store.get(this.#prefix + key))
  }

  #fromStore(value: StoredValue | undefined): StoredObject | undefined {
    if (value === undefined) return undefined
    const key = value.key.slice(this.#prefix.length)
    const cached = this.cache.get(key)
    return cached?.revision === value.revision
      ? cached
      : new StoredObject(this.#codec, key, value.value, value.revision)
  }
}

const keyOf = ({ namespace, name }: Place): string => keyBelow(namespace, name)

const tryCompute = async (
  compute: (current: Stored<KubeObject>) => Outcome | Promise<Outcome>,
  current: Stored<KubeObject>,
): Promise<Outcome | Error> => {
  try {
    return await compute(current)
  } catch (reason) {
    return reason instanceof Error ? reason : new Error(String(reason))
  }
}
