// Which groups, versions, kinds and verbs are served: the legacy documents and the aggregated one. Made once from the kinds' data.
import type { ResourceType } from '../../resources/object.ts'
import { groupVersion } from '../registry/decode.ts'
import { type Subresource, subresourcesOf } from '../subresources/subresource-table.ts'

/** A resource without storage, like selfsubjectaccessreviews. */
export interface VirtualResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  /** Left out: it is not below namespaces. */
  readonly namespaced?: boolean
  readonly shortNames?: readonly string[]
  readonly verbs: readonly string[]
}

interface Entry {
  readonly group: string
  readonly version: string
  readonly name: string
  readonly singular: string
  readonly namespaced: boolean
  readonly kind: Kind
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** Names like `status`. */
  readonly subresources: readonly Subresource[]
}
interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export class Discovery {
  readonly #entries: readonly Entry[]
  readonly #groups: readonly string[]

  constructor(types: readonly ResourceType[], virtual: readonly VirtualResource[]) {
    this.#entries = [...types.map(storedEntry), ...virtual.map(virtualEntry)]
    this.#groups = [...new Set(this.#entries.map((entry) => entry.group))]
  }

  /** GET /api */
  apiVersions(serverAddress: string): object {
    return {
      kind: 'APIVersions',
      versions: this.#versions(''),
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }
  }

  /** GET /apis */
  groupList(): object {
    const groups = this.#groups.filter((group) => group !== '')
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((group) => this.#group(group)),
    }
  }

  /** GET /apis/GROUP; undefined: no such group. */
  group(group: string): object | undefined {
    if (group === '' || !this.#groups.includes(group)) return undefined
    return { kind: 'APIGroup', apiVersion: 'v1', ...this.#group(group) }
  }

  hasGroup(group: string): boolean {
    return this.#groups.includes(group)
  }

  /** GET /api/v1 and /apis/GROUP/VERSION; undefined: not served. */
  resources(group: string, version: string): object | undefined {
    const entries = this.#of(group, version)
    if (entries.length === 0) return undefined
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: groupVersion({ group, version }),
      resources: entries.flatMap(legacyResources),
    }
  }

  /** Aggregated discovery: `isCore` for /api, else /apis. */
  aggregated(version: 'v2' | 'v2beta1', isCore: boolean): object {
    const groups = this.#groups.filter((group) => (group === '') === isCore)
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map((group) => ({
        metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
        versions: this.#versions(group).map((one) => ({
          version: one,
          resources: this.#of(group, one).map(aggregatedResource),
          freshness: 'Current',
        })),
      })),
    }
  }

  #of(group: string, version: string): Entry[] {
    return this.#entries.filter((entry) => entry.group === group && entry.version === version)
  }

  #versions(group: string): string[] {
    const entries = this.#entries.filter((entry) => entry.group === group)
    return [...new Set(entries.map((entry) => entry.version))].toSorted(byPriority)
  }

  #group(group: string): { name: string; versions: object[]; preferredVersion: object } {
    const versions = this.#versions(group).map((version) => ({
      groupVersion: groupVersion({ group, version }),
      version,
    }))
    return { name: group, versions, preferredVersion: versions[0] ?? {} }
  }
}

/** v2 before v1 before v2beta1 before v1beta2 before v1alpha1, and those before all other names. */
const byPriority = (a: string, b: string): number => {
  const [x, y] = [rank(a), rank(b)]
  const index = x.findIndex((part, at) => part !== y[at])
  return index === -1 ? (a < b ? -1 : a > b ? 1 : 0) : (y[index] ?? 0) - (x[index] ?? 0)
}

const rank = (version: string): number[] => {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return [0, 0, 0]
  const [, major, stage, minor] = match
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)]
}

const storedEntry = (type: ResourceType): Entry => {
  const kind = { group: type.group, version: type.version, kind: type.kind }
  return {
    group: type.group,
    version: type.version,
    name: type.plural,
    singular: type.singular,
    namespaced: type.namespaced,
    kind,
    verbs: type.verbs,
    shortNames: type.shortNames,
    categories: type.categories,
    subresources: subresourcesOf(type),
  }
}

const virtualEntry = (resource: VirtualResource): Entry => ({
  group: resource.group,
  version: resource.version,
  name: resource.plural,
  singular: resource.singular,
  namespaced: resource.namespaced === true,
  kind: { group: resource.group, version: resource.version, kind: resource.kind },
  verbs: resource.verbs,
  shortNames: resource.shortNames ?? [],
  categories: [],
  subresources: [],
})

const legacyResources = (entry: Entry): object[] => [
  {
    name: entry.name,
    singularName: entry.singular,
    namespaced: entry.namespaced,
    kind: entry.kind.kind,
    verbs: entry.verbs,
    ...names(entry),
  },
  ...entry.subresources.map(({ name, kind, verbs }) => ({
    name: `${entry.name}/${name}`,
    singularName: '',
    namespaced: entry.namespaced,
    ...(kind.group === entry.group ? {} : { group: kind.group, version: kind.version }),
    kind: kind.kind,
    verbs,
  })),
]

const aggregatedResource = (entry: Entry): object => ({
  resource: entry.name,
  responseKind: entry.kind,
  scope: entry.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: entry.singular,
  verbs: entry.verbs,
  ...names(entry),
  ...(entry.subresources.length === 0
    ? {}
    : {
        subresources: entry.subresources.map(({ name, kind, verbs }) => ({
          subresource: name,
          responseKind: kind,
          verbs,
        })),
      }),
})

const names = ({ shortNames, categories }: Entry): object => ({
  ...(shortNames.length === 0 ? {} : { shortNames }),
  ...(categories.length === 0 ? {} : { categories }),
})
