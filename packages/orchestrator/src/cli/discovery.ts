// What the server serves, and what the words of a command line mean by it: plural, singular, short name, kind, `deployments.apps`.
import type { ResourceRef } from '../client/api-client.ts'
import type { HttpTransport } from '../client/http-transport.ts'

export interface ServedResource {
  readonly ref: ResourceRef
  readonly kind: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

interface ApiResourceList {
  readonly groupVersion?: string
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly singularName?: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }[]
}
interface ApiGroupList {
  readonly groups?: readonly { readonly preferredVersion?: { readonly groupVersion: string } }[]
}

/** Asks the server for everything it serves, preferred versions only. */
export const discover = async (transport: HttpTransport): Promise<readonly ServedResource[]> => {
  const groups = (await transport.json({ method: 'GET', path: '/apis' })) as ApiGroupList
  const paths = (groups.groups ?? []).flatMap(({ preferredVersion }) =>
    preferredVersion === undefined ? [] : [`/apis/${preferredVersion.groupVersion}`],
  )
  const lists = await Promise.all(
    ['/api/v1', ...paths].map((path) => transport.json({ method: 'GET', path })),
  )
  return lists.flatMap((list) => servedResources(list as ApiResourceList))
}

const servedResources = (list: ApiResourceList): ServedResource[] => {
  const parts = (list.groupVersion ?? '').split('/')
  const version = parts.at(-1) ?? ''
  const group = parts.length > 1 ? (parts[0] ?? '') : ''
  return (list.resources ?? [])
    .filter((resource) => !resource.name.includes('/'))
    .map((resource) => ({
      ref: { group, version, plural: resource.name },
      kind: resource.kind,
      singular: resource.singularName ?? resource.kind.toLowerCase(),
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      namespaced: resource.namespaced,
      verbs: resource.verbs,
    }))
}

/** The resources that `word` names: one, or all of a category such as `all`. Throws Error when there is none. */
export const findResources = (
  served: readonly ServedResource[],
  word: string,
): readonly ServedResource[] => {
  const category = served.filter((resource) => resource.categories.includes(word))
  if (category.length > 0) return category
  return [findResource(served, word)]
}

/** The one resource that `word` names. Throws Error when there is none. */
const findResource = (served: readonly ServedResource[], word: string): ServedResource => {
  const found = findNamed(served, word.toLowerCase())
  if (found === undefined) {
    throw new Error(`the server doesn't have a resource type ${JSON.stringify(word)}`)
  }
  return found
}

/** The one resource that `word` names, categories apart. */
export const findNamed = (
  served: readonly ServedResource[],
  word: string,
): ServedResource | undefined => served.find((resource) => namesOf(resource).includes(word))

const namesOf = ({ ref, kind, singular, shortNames }: ServedResource): string[] => {
  const plain = [ref.plural, singular, kind.toLowerCase()]
  const qualified = [...plain, ...shortNames].flatMap((name) => [
    `${name}.${ref.group}`,
    `${name}.${ref.version}.${ref.group}`,
  ])
  return [...plain, ...shortNames, ...(ref.group === '' ? [] : qualified)]
}

/** The resource of a manifest's apiVersion and kind. */
export const findKind = (
  served: readonly ServedResource[],
  apiVersion: string,
  kind: string,
): ServedResource | undefined =>
  served.find((resource) => resource.kind === kind && groupVersionOf(resource) === apiVersion)

const groupVersionOf = ({ ref }: ServedResource): string =>
  ref.group === '' ? ref.version : `${ref.group}/${ref.version}`

/** `pod/web` and `deployment.apps/web`, as kubectl names objects. */
export const objectLabel = (resource: ServedResource, name: string): string =>
  `${typeLabel(resource)}/${name}`

export const typeLabel = ({ ref, singular, kind }: ServedResource): string => {
  const word = singular === '' ? kind.toLowerCase() : singular
  return ref.group === '' ? word : `${word}.${ref.group}`
}
