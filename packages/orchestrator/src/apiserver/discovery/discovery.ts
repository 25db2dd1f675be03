// Which groups, versions, kinds and verbs are served: the legacy documents and the aggregated one. Made once from the kinds' data.
import { createHash } from 'node:crypto'
import type { ResourceType } from '../../resources/object.ts'
import { type Priority, priorityOf } from '../aggregation/group-priorities.ts'
import type { RemoteVersion } from '../aggregation/remote-api.ts'
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
  /** Of a kind that no table of the schemas has. */
  readonly openApiSchema?: NonNullable<ResourceType['openApiSchema']>
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
  /** Tells clients whether objects may be written again as another version; undefined: nothing is stored. */
  readonly storageHash?: string
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
  /** By group and version. */
  readonly #remotes: ReadonlyMap<string, RemoteVersion>
  readonly #priorities: ReadonlyMap<string, Priority>
  /** By their priority; most of all counts that of one of their versions. */
  readonly #groups: readonly string[]

  /** `remotes`: the versions that other servers answer for; what is served here of the same version is not shown. */
  constructor(
    types: readonly ResourceType[],
    virtual: readonly VirtualResource[],
    remotes: readonly RemoteVersion[] = [],
  ) {
    this.#remotes = new Map(remotes.map((one) => [groupVersion(one), one]))
    this.#entries = [...types.map(storedEntry), ...virtual.map(virtualEntry)].filter(
      (entry) => !this.#remotes.has(groupVersion(entry)),
    )
    const custom = new Set(types.filter((type) => type.custom !== undefined).map(groupVersion))
    const priorities = new Map(remotes.map((one) => [groupVersion(one), one.priority]))
    const groups = new Map(remotes.map((one) => [one.group, one.priority.group]))
    for (const { group, version } of this.#entries) {
      const key = groupVersion({ group, version })
      if (priorities.has(key)) continue
      const priority = priorityOf(group, version, custom.has(key))
      priorities.set(key, priority)
      groups.set(group, Math.max(priority.group, groups.get(group) ?? 0))
    }
    this.#priorities = priorities
    this.#groups = [...groups]
      .toSorted(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : y - x))
      .map(([group]) => group)
  }

  has(ref: { readonly group: string; readonly version: string; readonly plural: string }): boolean {
    return this.#entries.some(
      ({ group, version, name }) =>
        name === ref.plural && version === ref.version && group === ref.group,
    )
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
        versions: this.#versions(group).map((one) => this.#aggregatedVersion(group, one)),
      })),
    }
  }

  #aggregatedVersion(group: string, version: string): object {
    const remote = this.#remotes.get(groupVersion({ group, version }))
    return {
      version,
      resources: remote?.resources ?? this.#of(group, version).map(aggregatedResource),
      freshness: remote?.isStale === true ? 'Stale' : 'Current',
    }
  }

  #of(group: string, version: string): Entry[] {
    return this.#entries.filter((entry) => entry.group === group && entry.version === version)
  }

  #versions(group: string): string[] {
    const all = [...this.#entries, ...this.#remotes.values()].filter((one) => one.group === group)
    const priority = (version: string): number =>
      this.#priorities.get(groupVersion({ group, version }))?.version ?? 0
    return [...new Set(all.map((one) => one.version))].toSorted(
      (a, b) => priority(b) - priority(a) || byPriority(a, b),
    )
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
    storageHash: storageHash(type.storage ?? type),
    subresources: subresourcesOf(type),
  }
}

/** As upstream makes it. */
const storageHash = ({ group, version, kind }: Kind): string =>
  createHash('sha256').update(`${group}/${version}/${kind}`).digest().toString('base64', 0, 8)

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
    ...(entry.storageHash === undefined ? {} : { storageVersionHash: entry.storageHash }),
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
