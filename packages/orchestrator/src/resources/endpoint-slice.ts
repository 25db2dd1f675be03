// EndpointSlice: some of the addresses behind a service, at most a hundred, so that a change of one tells few bytes to many.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { parseIp } from './ip-address.ts'
import type { FieldError, KubeObject, ResourceType } from './object.ts'
import type { ObjectReference } from './event.ts'
import { dns1123LabelProblems, dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { invalid, invalidEach, notSupported, required } from './validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly conditions?: {
    readonly ready?: boolean
    readonly serving?: boolean
    readonly terminating?: boolean
  }
  readonly hostname?: string
  readonly targetRef?: ObjectReference
  readonly nodeName?: string
  readonly zone?: string
}
export interface SlicePort {
  readonly name?: string
  readonly protocol?: string
  readonly port?: number
  readonly appProtocol?: string
}
export interface EndpointSlice extends KubeObject {
  readonly addressType: string
  readonly endpoints?: readonly SliceEndpoint[]
  readonly ports?: readonly SlicePort[]
}

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const addressesMax = 100
const endpointsMax = 1000
const shownMax = 3

export const endpointSliceType: ResourceType<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({
    ...object,
    ...(object.ports === undefined
      ? {}
      : { ports: object.ports.map((port) => ({ name: '', protocol: 'TCP', ...port })) }),
  }),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSlice(object),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.addressType === old.addressType
      ? []
      : [invalid('addressType', object.addressType, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('AddressType', 'What kind of addresses it has.'),
    column('Ports', 'The ports of every endpoint.'),
    column('Endpoints', 'The addresses.'),
    ageColumn,
  ],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.addressType,
    shortList((object.ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)))),
    shortList((object.endpoints ?? []).map(({ addresses }) => addresses[0] ?? '')),
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

const shortList = (texts: readonly string[]): string => {
  if (texts.length === 0) return '<unset>'
  const shown = texts.slice(0, shownMax).join(',')
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown
}

function validateSlice({ addressType, endpoints = [] }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = []
  if (addressType === '') errors.push(required('addressType'))
  else if (!addressTypes.includes(addressType)) {
    errors.push(notSupported('addressType', addressType, addressTypes))
  }
  if (endpoints.length > endpointsMax) {
    errors.push(invalid('endpoints', endpoints.length, `must have at most ${endpointsMax} items`))
  }
  for (const [index, endpoint] of endpoints.slice(0, endpointsMax).entries()) {
    const field = `endpoints[${index}]`
    const { addresses } = endpoint
    if (addresses.length === 0) {
      errors.push(required(`${field}.addresses`, 'must contain at least 1 address'))
    }
    if (addresses.length > addressesMax) {
      errors.push(
        invalid(`${field}.addresses`, addresses.length, `must have at most ${addressesMax} items`),
      )
    }
    for (const [at, address] of addresses.slice(0, addressesMax).entries()) {
      errors.push(...addressProblems(addressType, address, `${field}.addresses[${at}]`))
    }
    if (endpoint.hostname !== undefined) {
      errors.push(
        ...invalidEach(
          `${field}.hostname`,
          endpoint.hostname,
          dns1123LabelProblems(endpoint.hostname),
        ),
      )
    }
  }
  return errors
}

const addressProblems = (type: string, address: string, field: string): FieldError[] => {
  if (type === 'IPv4' && parseIp(address)?.family !== 4) {
    return [invalid(field, address, 'must be a valid IPv4 address')]
  }
  if (type === 'IPv6' && parseIp(address)?.family !== 6) {
    return [invalid(field, address, 'must be a valid IPv6 address')]
  }
  return type === 'FQDN' ? invalidEach(field, address, dns1123SubdomainProblems(address)) : []
}
