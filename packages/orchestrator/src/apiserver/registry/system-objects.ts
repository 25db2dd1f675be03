// What every cluster has: the namespaces and priority classes of the system, and the service `kubernetes` that leads to the apiserver.
import type { ApiClient, ResourceRef } from '../../client/api-client.ts'
import { isConflict } from '../../client/is-api-error.ts'
import { Resource } from '../../client/resource.ts'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { type ServiceCidr, serviceCidrType } from '../../resources/networking/service-cidr.ts'
import type { Condition, KubeObject } from '../../resources/object.ts'
import { systemPriorityClasses } from '../../resources/scheduling/priority-class.ts'
import { standardStorageClass, storageClassType } from '../../resources/storage/storage-class.ts'
import { systemNamespaces } from '../admission/namespace-lifecycle.ts'
import { kubernetesAddress, serviceNetwork } from '../admission/service-addresses.ts'

const namespaces: ResourceRef = { group: '', version: 'v1', plural: 'namespaces' }
const priorityClasses: ResourceRef = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  plural: 'priorityclasses',
}
const services: ResourceRef = { group: '', version: 'v1', plural: 'services' }
/** These Endpoints have a slice of their own. */
const skipMirror = 'endpointslice.kubernetes.io/skip-mirror'
const endpoints: ResourceRef = { group: '', version: 'v1', plural: 'endpoints' }

/** Creates what is missing; what is there stays as it is. */
export const createSystemNamespaces = async (client: ApiClient): Promise<void> => {
  for (const name of systemNamespaces) {
    await createMissing(client, namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })
  }
}

/** Creates the two classes that start with `system-`. */
export const createSystemPriorityClasses = async (client: ApiClient): Promise<void> => {
  for (const priorityClass of systemPriorityClasses)
    await createMissing(client, priorityClasses, priorityClass)
}

/** The class of claims that name none, unless there is one of that name. */
export const createStandardStorageClass = async (client: ApiClient): Promise<void> => {
  await createMissing(client, storageClassType, standardStorageClass)
}

/** The network of cluster addresses; nobody but this server gives them out, so it is ready. */
export const createServiceCidr = async (client: ApiClient): Promise<void> => {
  const cidr: ServiceCidr = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [serviceNetwork] },
  }
  await createMissing(client, serviceCidrType, cidr)
  const stored = await client.get<ServiceCidr>(serviceCidrType, undefined, 'kubernetes')
  // Whoever made it may have ended before it said so.
  if ((stored.status?.conditions ?? []).length > 0) return
  const ready: Condition = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes Service CIDR is ready',
    lastTransitionTime: stored.metadata.creationTimestamp,
  }
  const object: ServiceCidr = { ...stored, status: { conditions: [ready] } }
  try {
    await client.update<ServiceCidr>(serviceCidrType, object, 'status')
  } catch (reason) {
    // Another server that starts at the same time writes the same.
    if (!isConflict(reason)) throw reason
  }
}

interface EndpointsObject extends KubeObject {
  readonly subsets: readonly object[]
}

/** The service with its fixed address, and its endpoints in both forms, which follow the server. */
export const createKubernetesService = async (
  client: ApiClient,
  server: { readonly host: string; readonly port: number },
): Promise<void> => {
  const metadata = {
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  }
  const service: KubeObject & { readonly spec: object } = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      clusterIP: kubernetesAddress,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: server.port }],
    },
  }
  await createMissing(client, services, service)
  const wanted: EndpointsObject = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: { [skipMirror]: 'true' },
    },
    subsets: [
      {
        addresses: [{ ip: server.host }],
        ports: [{ name: 'https', port: server.port, protocol: 'TCP' }],
      },
    ],
  }
  if (!(await createMissing(client, endpoints, wanted))) {
    const current = await client.get<EndpointsObject>(endpoints, 'default', 'kubernetes')
    const isSame =
      jsonEqual(current.subsets, wanted.subsets) && current.metadata.labels?.[skipMirror] === 'true'
    if (!isSame) await client.update(endpoints, wanted)
  }
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: endpointSliceType.kind,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: { 'kubernetes.io/service-name': metadata.name },
    },
    addressType: server.host.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [server.host], conditions: { ready: true } }],
    ports: [{ name: 'https', port: server.port, protocol: 'TCP' }],
  }
  if (await createMissing(client, endpointSliceType, slice)) return
  const shown = await client.get<EndpointSlice>(endpointSliceType, 'default', 'kubernetes')
  const isSame = jsonEqual([shown.endpoints, shown.ports], [slice.endpoints, slice.ports])
  if (!isSame) await client.update(endpointSliceType, slice)
}

/**
 * Whether it was missing. Looked up first: creating again what has a fixed address would be refused for the address. Then looked up once
 * more, because another server that starts at the same time creates the same.
 */
const createMissing = async (
  client: ApiClient,
  ref: ResourceRef,
  object: KubeObject,
): Promise<boolean> => {
  const { namespace, name = '' } = object.metadata
  const resource = new Resource(client, ref)
  const find = (): Promise<KubeObject | undefined> =>
    resource.find({ name, ...(namespace === undefined ? {} : { namespace }) })
  if ((await find()) !== undefined) return false
  try {
    await resource.create(object)
    return true
  } catch (reason) {
    if ((await find()) === undefined) throw reason
    return false
  }
}
