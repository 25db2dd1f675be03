// What the server behind an APIService says it serves, from aggregated discovery where it has that, else from the version's own document.
// It is put beside what other servers say, so nothing of it is passed on that has not the form it must have.
import type { Json } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import type { ApiBackend } from './api-backend.ts'
import { discoveryPath } from './availability.ts'

type JsonObject = { readonly [key: string]: Json | undefined }

export interface RemoteSubresource {
  readonly subresource: string
  readonly responseKind?: JsonObject
  readonly verbs: readonly string[]
}

/** As in a document of apidiscovery.k8s.io. */
export interface RemoteResource {
  readonly resource: string
  readonly responseKind: JsonObject
  readonly scope: 'Namespaced' | 'Cluster'
  readonly singularResource: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly subresources?: readonly RemoteSubresource[]
}

export interface RemoteDiscovery {
  readonly etag: string
  readonly resources: readonly RemoteResource[]
}

const timeoutMs = 5000
const bytesMax = 4 * 1024 * 1024
const resourcesMax = 2000
const namesMax = 64
const aggregatedAccept = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',')

/** `known`: what was read before, which is returned again where it still holds. Rejects where the server cannot be asked. */
export const readDiscovery = async (
  backend: ApiBackend,
  known: RemoteDiscovery | undefined,
): Promise<RemoteDiscovery> => {
  const { group = '', version = '' } = backend.spec
  const aggregated = await backend.document({
    path: group === '' ? '/api' : '/apis',
    accept: aggregatedAccept,
    timeoutMs,
    bytesMax,
    ...(known === undefined || known.etag === '' ? {} : { etag: known.etag }),
  })
  if (aggregated.status === 304 && known !== undefined) return known
  if (isJsonObject(aggregated.json) && aggregated.json['kind'] === 'APIGroupDiscoveryList') {
    const resources = aggregatedResources(aggregated.json, group, version)
    return { etag: aggregated.etag, resources }
  }
  const plain = await backend.document({
    path: discoveryPath(backend.spec),
    accept: 'application/json',
    timeoutMs,
    bytesMax,
  })
  if (plain.json === undefined) throw new Error(`discovery was answered with ${plain.status}`)
  return { etag: '', resources: plainResources(plain.json, group, version) }
}

const aggregatedResources = (
  document: JsonObject,
  group: string,
  version: string,
): RemoteResource[] => {
  const item = objects(document['items']).find(
    ({ metadata }) => isJsonObject(metadata) && (metadata['name'] ?? '') === group,
  )
  const found = objects(item?.['versions']).find((one) => one['version'] === version)
  return objects(found?.['resources']).flatMap((one): RemoteResource[] => {
    const resource = text(one['resource'])
    const kind = kindOf(one['responseKind'], { group, version })
    if (resource === '' || kind === undefined) return []
    const subresources = objects(one['subresources']).flatMap((part): RemoteSubresource[] => {
      const subresource = text(part['subresource'])
      const responseKind = kindOf(part['responseKind'], { group, version })
      if (subresource === '') return []
      return [
        {
          subresource,
          ...(responseKind === undefined ? {} : { responseKind }),
          verbs: texts(part['verbs']),
        },
      ]
    })
    return [
      {
        resource,
        responseKind: kind,
        scope: one['scope'] === 'Namespaced' ? 'Namespaced' : 'Cluster',
        singularResource: text(one['singularResource']),
        verbs: texts(one['verbs']),
        ...named(one),
        ...(subresources.length === 0 ? {} : { subresources }),
      },
    ]
  })
}

/** From an APIResourceList, where subresources stand beside what they belong to. */
const plainResources = (document: Json, group: string, version: string): RemoteResource[] => {
  const all = isJsonObject(document) ? objects(document['resources']) : []
  const kind = (one: JsonObject): JsonObject | undefined =>
    kindOf({ group: one['group'], version: one['version'], kind: one['kind'] }, { group, version })
  return all.flatMap((one): RemoteResource[] => {
    const resource = text(one['name'])
    const responseKind = kind(one)
    if (resource === '' || resource.includes('/') || responseKind === undefined) return []
    const subresources = all.flatMap((part): RemoteSubresource[] => {
      const [parent, subresource = ''] = text(part['name']).split('/', 2)
      if (parent !== resource || subresource === '') return []
      const partKind = kind(part)
      return [
        {
          subresource,
          ...(partKind === undefined ? {} : { responseKind: partKind }),
          verbs: texts(part['verbs']),
        },
      ]
    })
    return [
      {
        resource,
        responseKind,
        scope: one['namespaced'] === true ? 'Namespaced' : 'Cluster',
        singularResource: text(one['singularName']),
        verbs: texts(one['verbs']),
        ...named(one),
        ...(subresources.length === 0 ? {} : { subresources }),
      },
    ]
  })
}

const named = (one: JsonObject): Pick<RemoteResource, 'shortNames' | 'categories'> => {
  const shortNames = texts(one['shortNames'])
  const categories = texts(one['categories'])
  return {
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  }
}

/** What is left out is that of the version. */
const kindOf = (
  value: Json | undefined,
  own: { readonly group: string; readonly version: string },
): JsonObject | undefined => {
  if (!isJsonObject(value)) return undefined
  const kind = text(value['kind'])
  if (kind === '') return undefined
  const version = text(value['version'])
  return version === '' ? { ...own, kind } : { group: text(value['group']), version, kind }
}

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).slice(0, resourcesMax).filter(isJsonObject) : []

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value)
    ? (value as readonly Json[])
        .slice(0, namesMax)
        .filter((one): one is string => typeof one === 'string')
    : []

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
