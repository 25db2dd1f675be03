// EndpointSlices that say what Endpoints written by hand say, for a Service without a selector: clients read slices alone.
import {
  type EndpointSlice,
  endpointSliceType,
  type SliceEndpoint,
} from '../resources/endpoint-slice.ts'
import { type Endpoints, type EndpointSubset, endpointsType } from '../resources/endpoints.ts'
import { jsonEqual } from '../resources/json-equal.ts'
import type { Stored } from '../resources/object.ts'
import type { Service } from '../resources/service.ts'
import { type Action, nothing, type Reconciliation } from './action.ts'
import { managedByLabel, serviceNameLabel, sliceDeletion } from './endpoint-slices.ts'
import { controllerReference } from './owner.ts'

export interface MirroringView {
  /** undefined: the Service is gone. */
  readonly service: Stored<Service> | undefined
  readonly endpoints: Stored<Endpoints> | undefined
  /** Those that this controller made for the Endpoints. */
  readonly slices: readonly Stored<EndpointSlice>[]
}

export const mirroredBy = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const appliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
/** Of one subset; what is beyond is left out. */
const mirroredMax = 1000

type Wanted = Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>

export function reconcileMirroring({ service, endpoints, slices }: MirroringView): Reconciliation {
  if (service === undefined || endpoints === undefined || !isMirrored(service, endpoints)) {
    return slices.length === 0 ? nothing : { actions: slices.map(sliceDeletion) }
  }
  const left = new Set(slices)
  const actions: Action[] = []
  const { labels, annotations } = tags(endpoints)
  for (const wanted of (endpoints.subsets ?? []).flatMap(mirrorsOf)) {
    const slice = [...left].find((each) => isLike(each, wanted))
    if (slice === undefined) {
      actions.push(creation(endpoints, wanted))
      continue
    }
    left.delete(slice)
    const metadata = { ...slice.metadata, labels, annotations }
    const object = { ...slice, metadata, endpoints: wanted.endpoints ?? [] }
    const isSame =
      jsonEqual(object.endpoints, slice.endpoints ?? []) &&
      jsonEqual(labels, slice.metadata.labels ?? {}) &&
      jsonEqual(annotations, slice.metadata.annotations ?? {})
    if (!isSame) actions.push({ type: 'update', ref: endpointSliceType, object })
  }
  return { actions: [...actions, ...[...left].map(sliceDeletion)] }
}

const isMirrored = (service: Stored<Service>, { metadata }: Stored<Endpoints>): boolean =>
  Object.keys(service.spec.selector ?? {}).length === 0 &&
  metadata.deletionTimestamp === undefined &&
  metadata.labels?.[skipLabel] !== 'true' &&
  metadata.annotations?.[leaderAnnotation] === undefined

/** One slice for each family of addresses. */
function mirrorsOf({
  addresses = [],
  notReadyAddresses = [],
  ports = [],
}: EndpointSubset): Wanted[] {
  const all = [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ].slice(0, mirroredMax)
  const slicePorts = ports.map(({ name = '', protocol = 'TCP', port }) => ({
    name,
    protocol,
    port,
  }))
  return ['IPv4', 'IPv6'].flatMap((addressType) => {
    const endpoints = all
      .filter(({ address }) => address.ip.includes(':') === (addressType === 'IPv6'))
      .map(({ address, ready }): SliceEndpoint => {
        const { ip, ...rest } = address
        return { addresses: [ip], conditions: { ready }, ...rest }
      })
    return endpoints.length === 0 ? [] : [{ addressType, endpoints, ports: slicePorts }]
  })
}

const isLike = (slice: EndpointSlice, wanted: Wanted): boolean =>
  slice.addressType === wanted.addressType && jsonEqual(slice.ports ?? [], wanted.ports ?? [])

const tags = ({
  metadata,
}: Stored<Endpoints>): Record<'labels' | 'annotations', Readonly<Record<string, string>>> => ({
  labels: {
    ...metadata.labels,
    [serviceNameLabel]: metadata.name,
    [managedByLabel]: mirroredBy,
  },
  annotations: Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([name]) => name !== appliedAnnotation),
  ),
})

const creation = (endpoints: Stored<Endpoints>, wanted: Wanted): Action => {
  const { name, namespace } = endpoints.metadata
  const object: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: endpointSliceType.kind,
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...tags(endpoints),
      ownerReferences: [
        controllerReference({ ...endpoints, apiVersion: 'v1', kind: endpointsType.kind }),
      ],
    },
    ...wanted,
  }
  return { type: 'create', ref: endpointSliceType, object }
}
