// EndpointSlices of a Service: the addresses of the pods that it selects, ending ones too, at most a hundred a slice. What is in a slice stays
// there: a change of a pod changes one slice.
import {
  type EndpointSlice,
  endpointSliceType,
  type SliceEndpoint,
  type SlicePort,
} from '../resources/endpoint-slice.ts'
import { jsonEqual } from '../resources/json-equal.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { type Service, serviceType } from '../resources/service.ts'
import { type Action, deletionOf, nothing, type Reconciliation } from './action.ts'
import { isReady } from './pod-state.ts'
import { servicePort } from './endpoints.ts'

export interface EndpointSlicesView {
  /** undefined: the Service is gone. */
  readonly service: Stored<Service> | undefined
  /** Those of the Service that this controller made. */
  readonly slices: readonly Stored<EndpointSlice>[]
  /** Of the namespace. */
  readonly pods: readonly Stored<Pod>[]
  readonly nodeOf: (name: string) => Stored<Node> | undefined
}

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managedBy = 'endpointslice-controller.k8s.io'
const headlessLabel = 'service.kubernetes.io/headless'
const zoneLabel = 'topology.kubernetes.io/zone'
const endpointsPerSliceMax = 100

export const zoneOf = (node: Stored<Node> | undefined): string | undefined =>
  node?.metadata.labels?.[zoneLabel]

interface Wanted {
  readonly addressType: string
  readonly ports: readonly SlicePort[]
  readonly endpoints: Map<string, SliceEndpoint>
}

export function reconcileEndpointSlices(view: EndpointSlicesView): Reconciliation {
  const { service, slices } = view
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) {
    return { actions: slices.map(sliceDeletion) }
  }
  if (Object.keys(service.spec.selector ?? {}).length === 0) return nothing
  if (service.spec.type === 'ExternalName') return { actions: slices.map(sliceDeletion) }
  const groups = wantedGroups(view, service)
  const actions: Action[] = []
  const seen = new Set<Stored<EndpointSlice>>()
  for (const wanted of groups) {
    const own = slices.filter((slice) => isOfGroup(slice, wanted))
    for (const slice of own) seen.add(slice)
    actions.push(...groupActions(service, wanted, own))
  }
  const left = slices.filter((slice) => !seen.has(slice))
  // The last slice of a Service without pods stays, empty: it says that there is none.
  if (groups.length === 0) {
    const [first, ...others] = left
    if (first === undefined) {
      return { actions: [creation(service, { addressType: 'IPv4', ports: [] }, [])] }
    }
    const kept = withContents(service, first, [])
    return {
      actions: [...(kept === undefined ? [] : [update(kept)]), ...others.map(sliceDeletion)],
    }
  }
  return { actions: [...actions, ...left.map(sliceDeletion)] }
}

/** Pods whose named ports mean the same numbers share slices. */
function wantedGroups(view: EndpointSlicesView, service: Stored<Service>): readonly Wanted[] {
  const selector = { matchLabels: service.spec.selector ?? {} }
  const groups = new Map<string, Wanted>()
  for (const pod of view.pods) {
    const address = pod.status.podIP ?? ''
    const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
    if (address === '' || isOver || !matchesSelector(selector, pod.metadata.labels)) continue
    const wished = service.spec.ports ?? []
    const ports = wished.flatMap((port): SlicePort[] => {
      const number = servicePort(port, pod)
      if (number === undefined) return []
      const { name = '', protocol = 'TCP', appProtocol } = port
      return [
        { name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) },
      ]
    })
    if (ports.length === 0 && wished.length > 0) continue
    const addressType = address.includes(':') ? 'IPv6' : 'IPv4'
    const key = JSON.stringify([addressType, ports])
    let group = groups.get(key)
    if (group === undefined) {
      group = { addressType, ports, endpoints: new Map() }
      groups.set(key, group)
    }
    group.endpoints.set(
      pod.metadata.uid,
      endpointOf(pod, address, { service, nodeOf: view.nodeOf }),
    )
  }
  return [...groups.values()]
}

function endpointOf(
  pod: Stored<Pod>,
  address: string,
  {
    service,
    nodeOf,
  }: { readonly service: Stored<Service>; readonly nodeOf: EndpointSlicesView['nodeOf'] },
): SliceEndpoint {
  const { namespace, name, uid, deletionTimestamp } = pod.metadata
  const { nodeName, hostname, subdomain } = pod.spec
  const terminating = deletionTimestamp !== undefined
  const serving = isReady(pod)
  const published = service.spec.publishNotReadyAddresses === true
  const zone = nodeName === undefined ? undefined : zoneOf(nodeOf(nodeName))
  const isNamed = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name
  return {
    addresses: [address],
    conditions: { ready: published || (serving && !terminating), serving, terminating },
    ...(isNamed ? { hostname } : {}),
    targetRef: { kind: podType.kind, ...(namespace === undefined ? {} : { namespace }), name, uid },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  }
}

const isOfGroup = (slice: Stored<EndpointSlice>, { addressType, ports }: Wanted): boolean =>
  slice.addressType === addressType && jsonEqual(slice.ports ?? [], ports)

/** Endpoints that have a slice stay in it; new ones fill what has room, then new slices; slices that lost all go. */
function groupActions(
  service: Stored<Service>,
  wanted: Wanted,
  slices: readonly Stored<EndpointSlice>[],
): Action[] {
  const left = new Map(wanted.endpoints)
  const contents = slices.map((slice) => {
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const uid = endpoint.targetRef?.uid ?? ''
      const now = left.get(uid)
      left.delete(uid)
      return now === undefined ? [] : [now]
    })
    return { slice, endpoints }
  })
  for (const { endpoints } of contents) {
    for (const [uid, endpoint] of left) {
      if (endpoints.length >= endpointsPerSliceMax) break
      endpoints.push(endpoint)
      left.delete(uid)
    }
  }
  const isEmptied = (endpoints: readonly SliceEndpoint[]): boolean => endpoints.length === 0
  const rest = [...left.values()]
  const actions: Action[] = []
  for (let at = 0; at < rest.length; at += endpointsPerSliceMax) {
    actions.push(creation(service, wanted, rest.slice(at, at + endpointsPerSliceMax)))
  }
  for (const { slice, endpoints } of contents) {
    if (isEmptied(endpoints)) {
      actions.push(sliceDeletion(slice))
      continue
    }
    const changed = withContents(service, slice, endpoints)
    if (changed !== undefined) actions.push(update(changed))
  }
  return actions
}

const labelsOf = (service: Stored<Service>): Readonly<Record<string, string>> => ({
  ...service.metadata.labels,
  ...(service.spec.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  [serviceNameLabel]: service.metadata.name,
  [managedByLabel]: managedBy,
})

/** undefined: it is so already. */
const withContents = (
  service: Stored<Service>,
  slice: Stored<EndpointSlice>,
  endpoints: readonly SliceEndpoint[],
): EndpointSlice | undefined => {
  const labels = labelsOf(service)
  const isSame =
    jsonEqual(slice.endpoints ?? [], endpoints) && jsonEqual(slice.metadata.labels ?? {}, labels)
  return isSame ? undefined : { ...slice, metadata: { ...slice.metadata, labels }, endpoints }
}

const update = (object: EndpointSlice): Action => ({
  type: 'update',
  ref: endpointSliceType,
  object,
})

const creation = (
  service: Stored<Service>,
  { addressType, ports }: Pick<Wanted, 'addressType' | 'ports'>,
  endpoints: readonly SliceEndpoint[],
): Action => {
  const { namespace, name, uid } = service.metadata
  const object: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsOf(service),
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: serviceType.kind,
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType,
    endpoints,
    ports,
  }
  return { type: 'create', ref: endpointSliceType, object }
}

export const sliceDeletion = (slice: Stored<EndpointSlice>): Action =>
  deletionOf(endpointSliceType, slice)
