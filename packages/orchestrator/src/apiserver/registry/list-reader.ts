// Lists and their pages, by the resourceVersion rules: unset is current, 0 is whatever the cache has, N not older than N, Exact at N.
// Pages of one list show one revision: later pages come from the store's history unless nothing changed since.
import {
  badRequest,
  expired,
  tooLargeResourceVersion,
  tooOldResourceVersion,
} from '../api-errors.ts'
import type { CacheFilter, ResourceCache } from '../storage/resource-cache.ts'
import { isJsonObject, type ObjectCodec, StoredObject } from '../storage/stored-object.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import { StoreRevisionError, type Store } from '../store.ts'
import { encodeContinue, parseContinue } from './continue-token.ts'
import type { ListQuery } from './request-options.ts'

export interface ListPage {
  readonly items: readonly StoredObject[]
  readonly revision: number
  readonly continue: string | undefined
  /** Objects after this page; only without selectors. */
  readonly remaining: number | undefined
}

export interface ListSource {
  readonly store: Store
  readonly watchCache: WatchCache
  readonly cache: ResourceCache
  readonly codec: ObjectCodec
  /** The collection's prefix in the store. */
  readonly prefix: string
}

/** How long a current list waits for the cache before it reads the store. */
const currentWaitMs = 30
/** How long a list waits for a resourceVersion that is not there yet. */
const futureWaitMs = 3000
const storePageSize = 500

const continueExpiredText =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.'

/** A resourceVersion of a request; undefined where unset. Throws ApiError BadRequest. */
export const parseResourceVersion = (text: string): number | undefined => {
  if (text === '') return undefined
  const revision = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw badRequest(`invalid resource version ${JSON.stringify(text)}`)
  }
  return revision
}

export const readList = async (
  source: ListSource,
  filter: CacheFilter,
  query: ListQuery,
): Promise<ListPage> => {
  if (query.continue !== '') return readRest(source, filter, query)
  const revision = parseResourceVersion(query.resourceVersion)
  if (revision === undefined) return readCurrent(source, filter, '', query.limit)
  if (query.resourceVersionMatch === 'Exact')
    return readExact(source, filter, revision, query.limit)
  if (!(await source.watchCache.waitFor(revision, revision === 0 ? 0 : futureWaitMs))) {
    const current = await source.store.currentRevision()
    if (revision > current) throw tooLargeResourceVersion(revision, current)
    return readStore(source, filter, { start: '', limit: query.limit })
  }
  return readCache(source, filter, { start: '', limit: query.limit })
}

const readRest = async (
  source: ListSource,
  filter: CacheFilter,
  query: ListQuery,
): Promise<ListPage> => {
  if (query.resourceVersion !== '' && query.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const token = parseContinue(query.continue)
  const { limit } = query
  if (token.revision < 0) return readCurrent(source, filter, token.start, limit)
  const page = { start: token.start, limit, revision: token.revision }
  if (isUnchangedSince(source, token.revision)) return readCache(source, filter, page)
  try {
    return await readStore(source, filter, page)
  } catch (reason) {
    if (!(reason instanceof StoreRevisionError)) throw reason
    throw expired(continueExpiredText, encodeContinue({ revision: -1, start: token.start }))
  }
}

const readCurrent = async (
  source: ListSource,
  filter: CacheFilter,
  start: string,
  limit: number,
): Promise<ListPage> => {
  const current = await source.watchCache.currentRevision()
  return (await source.watchCache.waitFor(current, currentWaitMs))
    ? readCache(source, filter, { start, limit })
    : readStore(source, filter, { start, limit })
}

const readExact = async (
  source: ListSource,
  filter: CacheFilter,
  revision: number,
  limit: number,
): Promise<ListPage> => {
  if (isUnchangedSince(source, revision)) {
    return readCache(source, filter, { start: '', limit, revision })
  }
  try {
    return await readStore(source, filter, { start: '', limit, revision })
  } catch (reason) {
    if (!(reason instanceof StoreRevisionError)) throw reason
    const current = await source.store.currentRevision()
    throw reason.code === 'COMPACTED'
      ? tooOldResourceVersion(revision, current)
      : tooLargeResourceVersion(revision, current)
  }
}

/** Whether the cache shows the collection exactly as it was at `revision`. */
const isUnchangedSince = ({ watchCache, cache }: ListSource, revision: number): boolean =>
  watchCache.isReady && cache.lastChange <= revision && revision <= watchCache.revision

interface PageRequest {
  readonly start: string
  readonly limit: number
  readonly revision?: number
}

const readCache = (
  { cache, watchCache }: ListSource,
  filter: CacheFilter,
  { start, limit, revision = watchCache.revision }: PageRequest,
): ListPage => {
  const { keyPrefix, matches } = filter
  const items: StoredObject[] = []
  for (const object of cache.list(keyPrefix, keyPrefix + start)) {
    if (matches?.(object) === false) continue
    if (limit > 0 && items.length === limit) {
      const next = nextStart(items, keyPrefix)
      const remaining = matches === undefined ? cache.count(keyPrefix, keyPrefix + next) : undefined
      return { items, revision, continue: encodeContinue({ revision, start: next }), remaining }
    }
    items.push(object)
  }
  return { items, revision, continue: undefined, remaining: undefined }
}

const readStore = async (
  { store, codec, prefix }: ListSource,
  { keyPrefix, matches }: CacheFilter,
  request: PageRequest,
): Promise<ListPage> => {
  const { limit } = request
  const items: StoredObject[] = []
  let start = keyPrefix + request.start
  let { revision } = request
  for (;;) {
    const page = await store.list(prefix + keyPrefix, {
      startKey: prefix + start,
      limit: limit > 0 && matches === undefined ? limit : storePageSize,
      ...(revision === undefined ? {} : { revision }),
    })
    revision = page.revision
    const { values } = page
    for (const [index, { key, value, revision: changed }] of values.entries()) {
      const object = new StoredObject(codec, key.slice(prefix.length), value, changed)
      start = `${object.key}\u0000`
      if (!isJsonObject(value) || matches?.(object) === false) continue
      items.push(object)
      const left = values.length - index - 1 + page.remaining
      if (items.length === limit && left > 0) {
        const next = nextStart(items, keyPrefix)
        const remaining = matches === undefined ? left : undefined
        return { items, revision, continue: encodeContinue({ revision, start: next }), remaining }
      }
    }
    if (page.remaining === 0) return { items, revision, continue: undefined, remaining: undefined }
  }
}

const nextStart = (items: readonly StoredObject[], keyPrefix: string): string =>
  `${items.at(-1)?.key.slice(keyPrefix.length) ?? ''}\u0000`
