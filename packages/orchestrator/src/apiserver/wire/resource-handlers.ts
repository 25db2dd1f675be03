// The verbs of the resource API: from a path, a method and a body to a call of the registry and its reply.
import type { PatchType } from '../../client/api-client.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { mergeKeysOf } from '../../resources/schema/merge-keys.ts'
import {
  badRequest,
  methodNotAllowed,
  noSuchResource,
  unsupportedMediaType,
} from '../api-errors.ts'
import { changeFor, shownFor } from '../registry/converted.ts'
import { timestamp } from '../registry/object-metadata.ts'
import { applyPatch } from '../registry/patch.ts'
import type { Registries } from '../registry/registries.ts'
import type { Change, Place, Registry } from '../registry/registry.ts'
import { requireVersion } from '../registry/required-version.ts'
import { admitConnect } from '../subresources/connect-options.ts'
import { scaleOf } from '../subresources/scale.ts'
import { filterOf } from '../registry/selection.ts'
import {
  applyScale,
  bindPod,
  changeScale,
  changeSubresource,
  type ObjectSubresource,
} from '../subresources/subresources.ts'
import { findSubresource, type SubresourceRequest } from '../subresources/subresource-table.ts'
import type { CacheFilter } from '../storage/resource-cache.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { readDeleteOptions } from './delete-options.ts'
import type { Exchange } from './exchange.ts'
import { applyObject, managerOf } from './apply-handler.ts'
import { flag, listQuery, writeOptions } from './query-options.ts'
import { sendList, sendObject, sendValue, viewFor } from './replies.ts'
import { readPatch } from './request-body.ts'
import { patchDecoding } from './patch-decoding.ts'
import type { ApiMetrics } from '../metrics/api-metrics.ts'
import type { ResourcePath } from './request-path.ts'
import { handleWatch } from './watch-handler.ts'
import { requireName } from './require-name.ts'
import { decoding, readObjectOf, readRequired } from './sent-object.ts'

/** Of kinds that users bring: how their lists are merged strategically nobody has said. */
const customPatchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
]
/** Deletes of a collection that run at the same time. */
const deletesAtOnceMax = 16

export interface ResourceRequest {
  readonly exchange: Exchange
  readonly path: ResourcePath
  readonly registry: Registry
  /** The version that the path names; that of the registry is the one that is stored. */
  readonly type: ResourceType
}

export class ResourceHandlers {
  readonly #registries: Registries
  readonly #shared: Pick<SubresourceRequest, 'registries' | 'nodes' | 'access'>
  readonly #metrics: ApiMetrics

  constructor(
    shared: Pick<SubresourceRequest, 'registries' | 'nodes' | 'access'> & {
      readonly metrics: ApiMetrics
    },
  ) {
    this.#registries = shared.registries
    this.#shared = shared
    this.#metrics = shared.metrics
  }

  async handle(request: ResourceRequest): Promise<void> {
    const { path, registry } = request
    checkScope(path, registry)
    const { deprecationWarning } = request.type.custom ?? {}
    if (deprecationWarning !== undefined) request.exchange.warn(deprecationWarning)
    if (path.name === undefined) return this.#handleCollection(request)
    const place: Place = { namespace: path.namespace, name: path.name }
    if (path.subresource === undefined) return this.#handleObject(request, place)
    const subresource = findSubresource(registry.type, path.subresource)
    if (subresource === undefined) throw noSuchResource()
    if (subresource.handle !== undefined) {
      await admitConnect(request, place, subresource)
      return subresource.handle({ ...request, place, ...this.#shared })
    }
    return this.#handleSubresource(request, place, path.subresource)
  }

  async #handleCollection(request: ResourceRequest): Promise<void> {
    const { exchange, path, registry } = request
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        return this.#listOrWatch(request, '')
      case 'POST': {
        if (registry.type.namespaced && path.namespace === undefined) throw methodNotAllowed()
        const options = { ...writeOptions(exchange), servedType: request.type }
        const object = await readObjectOf(request)
        const stored = await registry.create(path.namespace, object, options)
        await this.#reply(request, 201, stored)
        return undefined
      }
      case 'DELETE':
        if (!registry.type.verbs.includes('deletecollection')) throw methodNotAllowed()
        return this.#deleteCollection(request)
      default:
        throw methodNotAllowed()
    }
  }

  async #listOrWatch(request: ResourceRequest, name: string): Promise<void> {
    const { exchange, registry } = request
    const filter = this.#filter(request, name)
    const view = viewFor(exchange, request.type, this.#registries.now())
    if (flag(exchange.query, 'watch')) {
      // What is there already is asked for in one question.
      const there = registry.conversion === undefined ? [] : registry.cache.list(filter.keyPrefix)
      await shownFor(registry, request.type, [...there])
      const { watchCache } = this.#registries
      const sent = this.#metrics.watchEvents(request.type)
      handleWatch(exchange, registry, { filter, view, watchCache, sent })
      return
    }
    const page = await registry.list(filter, listQuery(exchange.query))
    const items = await shownFor(registry, request.type, page.items)
    await sendList(exchange, view, { ...page, items })
  }

  #filter({ exchange, path, registry }: ResourceRequest, name: string): CacheFilter {
    const { query } = exchange
    const fields = query.get('fieldSelector') ?? ''
    const byName = name === '' ? '' : `metadata.name=${name}`
    return filterOf(registry.type, {
      namespace: path.namespace,
      labelSelector: query.get('labelSelector') ?? '',
      fieldSelector: [fields, byName].filter((part) => part !== '').join(','),
    })
  }

  async #deleteCollection(request: ResourceRequest): Promise<void> {
    const { exchange, path, registry } = request
    const options = readDeleteOptions(exchange)
    const page = await registry.list(this.#filter(request, ''), listQuery(exchange.query))
    const deleted: StoredObject[] = []
    for (let start = 0; start < page.items.length; start += deletesAtOnceMax) {
      const some = page.items.slice(start, start + deletesAtOnceMax)
      const results = await Promise.all(
        some.map(async (stored) => {
          const { name, namespace } = stored.object.metadata
          return registry.delete({ namespace: path.namespace ?? namespace, name }, options)
        }),
      )
      deleted.push(...results.map((result) => result.stored))
    }
    const view = viewFor(exchange, request.type, this.#registries.now())
    const items = await shownFor(registry, request.type, deleted)
    await sendList(exchange, view, { ...page, items })
  }

  async #handleObject(request: ResourceRequest, place: Place): Promise<void> {
    const { exchange, registry } = request
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        if (flag(exchange.query, 'watch')) return this.#listOrWatch(request, place.name)
        await this.#reply(request, 200, await registry.get(place))
        return undefined
      case 'PUT': {
        const options = { ...writeOptions(exchange), servedType: request.type }
        const object = await readObjectOf(request)
        requireName(object, place)
        const { stored, isCreated } = await registry.update(place, object, options)
        await this.#reply(request, isCreated ? 201 : 200, stored)
        return undefined
      }
      case 'PATCH':
        return this.#patch(request, place)
      case 'DELETE':
        return this.#delete(request, place)
      default:
        throw methodNotAllowed()
    }
  }

  async #patch(request: ResourceRequest, place: Place): Promise<void> {
    const { exchange, registry } = request
    const options = { ...writeOptions(exchange), servedType: request.type }
    const body = readPatch(exchange)
    if (body.type === 'apply') {
      const { stored, isCreated } = await applyObject(exchange, registry, {
        type: request.type,
        place,
        config: body.patch,
        decoding: decoding(exchange),
      })
      await this.#reply(request, isCreated ? 201 : 200, stored)
      return
    }
    if (registry.type.custom !== undefined && body.type === 'strategic') {
      throw unsupportedMediaType(customPatchTypes)
    }
    const change = patchChange(request, { ...body, type: body.type })
    await this.#reply(request, 200, await registry.change(place, change, options))
  }

  async #delete(request: ResourceRequest, place: Place): Promise<void> {
    const { exchange, registry } = request
    const options = readDeleteOptions(exchange)
    const { stored, isGone } = await registry.delete(place, options)
    if (!isGone) {
      await this.#reply(request, 200, stored)
      return
    }
    const { group, plural } = registry.type
    sendValue(exchange, 200, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: place.name,
        ...(group === '' ? {} : { group }),
        kind: plural,
        uid: stored.object.metadata.uid,
      },
    })
  }

  async #handleSubresource(
    request: ResourceRequest,
    place: Place,
    subresource: string,
  ): Promise<void> {
    switch (subresource) {
      case 'binding':
        return this.bind(request, place.name)
      case 'scale':
        return this.#handleScale(request, place)
      default:
        return this.#handleObjectSubresource(request, place, subresource as ObjectSubresource)
    }
  }

  async #handleObjectSubresource(
    request: ResourceRequest,
    place: Place,
    subresource: ObjectSubresource,
  ): Promise<void> {
    const { exchange, registry } = request
    const { method } = exchange
    if (method === 'GET' || method === 'HEAD') {
      await this.#reply(request, 200, await registry.get(place))
      return
    }
    const options = writeOptions(exchange)
    let change: Change
    if (method === 'PUT') {
      const object = await readObjectOf(request)
      requireName(object, place)
      change = () => {
        requireVersion(registry.type, place.name, object)
        return object
      }
    } else if (method === 'PATCH') {
      const { type, patch } = readPatch(exchange)
      if (type === 'apply') {
        if (subresource !== 'status') throw noApply()
        const order = { type: request.type, place, config: patch, part: 'status' } as const
        const answer = { ...order, decoding: decoding(exchange) }
        await this.#reply(request, 200, (await applyObject(exchange, registry, answer)).stored)
        return
      }
      change = patchChange(request, { type, patch })
    } else throw methodNotAllowed()
    await this.#reply(
      request,
      200,
      await changeSubresource(registry, place, { subresource, change, options }),
    )
  }

  async #handleScale({ exchange, registry }: ResourceRequest, place: Place): Promise<void> {
    const { method } = exchange
    if (method === 'GET' || method === 'HEAD') {
      const [stored] = await shownFor(registry, registry.type, [await registry.get(place)])
      if (stored !== undefined) sendValue(exchange, 200, scaleOf(registry.type, stored.object))
      return
    }
    const options = writeOptions(exchange)
    if (method === 'PUT') {
      const sent = asObject(readRequired(exchange))
      sendValue(exchange, 200, await changeScale(registry, place, () => sent, options))
      return
    }
    if (method !== 'PATCH') throw methodNotAllowed()
    const { type, patch } = readPatch(exchange)
    if (type === 'apply') {
      const order = {
        config: patch,
        manager: managerOf(exchange),
        force: flag(exchange.query, 'force'),
        time: timestamp(this.#registries.now()),
        options,
      }
      sendValue(exchange, 200, await applyScale(registry, place, order))
      return
    }
    const scale = await changeScale(
      registry,
      place,
      (current) => asObject(applyPatch(current as unknown as Json, type, patch, {})),
      options,
    )
    sendValue(exchange, 200, scale)
  }

  /** POST of a Binding, to pods/NAME/binding or to bindings. */
  async bind({ exchange, path, registry }: ResourceRequest, pod: string): Promise<void> {
    if (exchange.method !== 'POST') throw methodNotAllowed()
    const options = writeOptions(exchange)
    const sent = asObject(readRequired(exchange))
    const { target } = sent as KubeObject & { target?: { name?: unknown } }
    const node = typeof target?.name === 'string' ? target.name : ''
    const name = pod === '' ? (sent.metadata.name ?? '') : pod
    await bindPod(registry, { namespace: path.namespace, name }, node, options)
    sendValue(exchange, 201, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    })
  }

  async #reply(request: ResourceRequest, status: number, stored: StoredObject): Promise<void> {
    const { exchange, registry, type } = request
    const view = viewFor(exchange, type, this.#registries.now())
    const [shown = stored] =
      registry.conversion === undefined ? [] : await shownFor(registry, type, [stored])
    sendObject(exchange, status, view, shown)
  }
}

const patchChange = (
  { exchange, registry, type: served }: ResourceRequest,
  { type, patch }: { readonly type: PatchType; readonly patch: Json },
): Change => {
  const mergeKeys = mergeKeysOf(served)
  const patched = (shown: Json): Json => applyPatch(shown, type, patch, mergeKeys)
  return changeFor(registry, served, patched, patchDecoding(exchange, type, patch))
}

const checkScope = (path: ResourcePath, { type }: Registry): void => {
  const isWhole = path.namespace === undefined
  if (!type.namespaced && !isWhole) throw noSuchResource()
  if (type.namespaced && isWhole && path.name !== undefined) throw noSuchResource()
}

/** An object whose kind the registry does not know: what Balsa reads of it is checked where it is read. */
const asObject = (value: Json): KubeObject => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject) throw badRequest('the request body is no object')
  const { metadata } = value as { metadata?: Json }
  const isMetadata = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
  return { ...(value as object), metadata: isMetadata ? metadata : {} } as unknown as KubeObject
}

const noApply = (): Error =>
  unsupportedMediaType([
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ])
