// Endpoints: the addresses behind a service, in the form that older clients read.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { KubeObject, ResourceType } from './object.ts'
import type { ObjectReference } from './event.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface EndpointAddress {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef?: ObjectReference
}
export interface EndpointSubset {
  readonly addresses?: readonly EndpointAddress[]
  readonly notReadyAddresses?: readonly EndpointAddress[]
  readonly ports?: readonly {
    readonly name?: string
    readonly port: number
    readonly protocol?: string
  }[]
}
export interface Endpoints extends KubeObject {
  readonly subsets?: readonly EndpointSubset[]
}

/** As upstream: the column names this many addresses and counts the rest. */
const addressesShownMax = 3

export const endpointsType: ResourceType<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => validateMetadata(object.metadata, dns1123SubdomainProblems),
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Endpoints', 'Addresses behind the service.'), ageColumn],
  cells: (object, now) => [
    object.metadata.name ?? '',
    endpointsText(object.subsets ?? []),
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

function endpointsText(subsets: readonly EndpointSubset[]): string {
  const all = subsets.flatMap((subset) => {
    const addresses = subset.addresses ?? []
    const ports = subset.ports ?? []
    if (ports.length === 0) return addresses.map((address) => address.ip)
    return ports.flatMap((port) => addresses.map((address) => `${address.ip}:${port.port}`))
  })
  if (all.length === 0) return '<none>'
  const shown = all.slice(0, addressesShownMax).join(',')
  const more = all.length - addressesShownMax
  return more > 0 ? `${shown} + ${more} more...` : shown
}
