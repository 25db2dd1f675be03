// Endpoints: the addresses of the pods that a Service selects, ready ones apart from the others.
import { endpointsType, type Endpoints } from '../resources/endpoints.ts'
import { jsonEqual } from '../resources/json-equal.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import type { Service, ServicePort } from '../resources/service.ts'
import { deletionOf, type Reconciliation } from './action.ts'
import { isReady } from './pod-state.ts'

export interface EndpointsView {
  readonly key: { readonly namespace: string; readonly name: string }
  /** Undefined: the Service is gone. */
  readonly service: Stored<Service> | undefined
  readonly endpoints: Stored<Endpoints> | undefined
  /** Of the namespace. */
  readonly pods: readonly Stored<Pod>[]
}

type Subset = NonNullable<Endpoints['subsets']>[number]
type Address = NonNullable<Subset['addresses']>[number]
type Port = NonNullable<Subset['ports']>[number]

/** Marks the Endpoints that this controller made; others are their makers' business. */
const managedLabel = 'endpoints.kubernetes.io/managed-by'
const managedBy = 'endpoint-controller'

export function reconcileEndpoints(view: EndpointsView): Reconciliation {
  const { key, service, endpoints } = view
  const isManaged = endpoints?.metadata.labels?.[managedLabel] === managedBy
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) {
    if (endpoints === undefined || !isManaged) return { actions: [] }
    return { actions: [deletionOf(endpointsType, endpoints)] }
  }
  // A Service without a selector has its addresses written by hand.
  if (Object.keys(service.spec.selector ?? {}).length === 0) return { actions: [] }
  const subsets = subsetsOf(service, view.pods)
  const labels = { ...service.metadata.labels, [managedLabel]: managedBy }
  if (endpoints === undefined) {
    const object: Endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...key, labels },
      subsets,
    }
    return { actions: [{ type: 'create', ref: endpointsType, object }] }
  }
  if (jsonEqual(endpoints.subsets ?? [], subsets) && jsonEqual(endpoints.metadata.labels, labels))
    return { actions: [] }
  const object: Endpoints = { ...endpoints, metadata: { ...endpoints.metadata, labels }, subsets }
  return { actions: [{ type: 'update', ref: endpointsType, object }] }
}

/** Pods whose named ports mean the same numbers share a subset. */
function subsetsOf(service: Stored<Service>, pods: readonly Stored<Pod>[]): Subset[] {
  const selector = { matchLabels: service.spec.selector ?? {} }
  const groups = new Map<string, { ports: Port[]; ready: Address[]; notReady: Address[] }>()
  const selected = pods
    .filter((pod) => hasAddress(pod) && matchesSelector(selector, pod.metadata.labels))
    .toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1))
  for (const pod of selected) {
    const ports = (service.spec.ports ?? []).flatMap((port) => portOf(port, pod))
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] }
    const isServed = isReady(pod) || service.spec.publishNotReadyAddresses === true
    group[isServed ? 'ready' : 'notReady'].push(addressOf(pod))
    groups.set(key, group)
  }
  return [...groups.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ...(ports.length === 0 ? {} : { ports }),
  }))
}

const hasAddress = (pod: Stored<Pod>): boolean =>
  (pod.status.podIP ?? '') !== '' &&
  pod.metadata.deletionTimestamp === undefined &&
  pod.status.phase !== 'Succeeded' &&
  pod.status.phase !== 'Failed'

const addressOf = (pod: Stored<Pod>): Address => {
  const { namespace, name, uid } = pod.metadata
  const { nodeName, hostname } = pod.spec
  return {
    ip: pod.status.podIP ?? '',
    ...(hostname === undefined || hostname === '' ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: podType.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      uid,
    },
  }
}

/** The number of the service's port in this pod; undefined: it has no port of that name. */
export function servicePort(port: ServicePort, pod: Stored<Pod>): number | undefined {
  const protocol = port.protocol ?? 'TCP'
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target
  return pod.spec.containers
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: of = 'TCP' }) => name === target && of === protocol)?.containerPort
}

function portOf(port: ServicePort, pod: Stored<Pod>): Port[] {
  const protocol = port.protocol ?? 'TCP'
  const number = servicePort(port, pod)
  if (number === undefined) return []
  return [{ ...(port.name === undefined ? {} : { name: port.name }), port: number, protocol }]
}
