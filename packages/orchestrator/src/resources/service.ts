// Service: a stable name and address for the pods that a selector finds.
import { ageColumn, column, nameColumn, orNone, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { formatSelector } from './label-selector.ts'
import type { Condition, KubeObject, ResourceType } from './object.ts'
import { dns1035LabelProblems } from './names.ts'
import type { IntOrString } from './pod-spec/pod-spec.ts'
import { allVerbs, keepStatus } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'
import { validateServiceSpec, validateServiceUpdate } from './validation/validate-service.ts'

export interface ServicePort {
  readonly name?: string
  readonly protocol?: string
  readonly appProtocol?: string
  readonly port: number
  readonly targetPort?: IntOrString
  readonly nodePort?: number
}
export interface ServiceSpec {
  readonly type?: string
  readonly selector?: Readonly<Record<string, string>>
  readonly ports?: readonly ServicePort[]
  readonly clusterIP?: string
  readonly clusterIPs?: readonly string[]
  readonly externalIPs?: readonly string[]
  readonly externalName?: string
  readonly sessionAffinity?: string
  readonly ipFamilies?: readonly string[]
  readonly ipFamilyPolicy?: string
  readonly internalTrafficPolicy?: string
  readonly externalTrafficPolicy?: string
  readonly publishNotReadyAddresses?: boolean
}
export interface ServiceStatus {
  readonly loadBalancer: {
    readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[]
  }
  readonly conditions?: readonly Condition[]
}
export interface Service extends KubeObject {
  readonly spec: ServiceSpec
  readonly status: ServiceStatus
}

export const serviceType: ResourceType<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: serviceDefaults,
  prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
  prepareForUpdate: (object, old) => keepAllocated(keepStatus(object, old), old),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1035LabelProblems),
    ...validateServiceSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateServiceUpdate(object.spec, old.spec),
  ],
  columns: [
    nameColumn,
    column('Type', 'How the service is exposed.'),
    column('Cluster-IP', 'The address of the service inside the cluster.'),
    column('External-IP', 'Addresses at which the service is reached from outside.'),
    column('Port(s)', 'The ports that the service serves.'),
    ageColumn,
    wideColumn('Selector', 'The labels of the pods that the service leads to.'),
  ],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec.type ?? '',
    orNone(object.spec.clusterIP),
    externalAddress(object),
    portsText(object.spec.ports ?? []),
    ageOf(object.metadata.creationTimestamp, now),
    orNone(formatSelector({ matchLabels: object.spec.selector ?? {} })),
  ],
  selectableFields: (object) => ({
    'spec.clusterIP': object.spec.clusterIP ?? '',
    'spec.type': object.spec.type ?? '',
  }),
}

function serviceDefaults(object: Service): Service {
  const { spec } = object
  const type = spec.type ?? 'ClusterIP'
  const external = type === 'NodePort' || type === 'LoadBalancer'
  return {
    ...object,
    spec: {
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
      ...(external ? { externalTrafficPolicy: 'Cluster' } : {}),
      ...spec,
      type,
      sessionAffinity: spec.sessionAffinity ?? 'None',
      ...(spec.ports === undefined ? {} : { ports: spec.ports.map(portDefaults) }),
    },
  }
}

function portDefaults(port: ServicePort): ServicePort {
  return {
    ...port,
    protocol: port.protocol ?? 'TCP',
    // 0 is a port that was not said, as Go cannot tell.
    targetPort:
      port.targetPort === undefined || port.targetPort === 0 ? port.port : port.targetPort,
  }
}

/** Addresses and node ports were allotted by the server: an update that leaves them out keeps them. */
function keepAllocated(object: Service, old: Service): Service {
  const { spec } = object
  if (spec.type === 'ExternalName' || old.spec.type === 'ExternalName') return object
  const clusterIP = spec.clusterIP ?? old.spec.clusterIP
  const clusterIPs = spec.clusterIPs ?? old.spec.clusterIPs
  const keepsNodePorts = spec.type !== 'ClusterIP'
  const oldNodePorts = new Map(
    (old.spec.ports ?? []).map((port) => [`${port.protocol}:${port.port}`, port.nodePort]),
  )
  const ports = spec.ports?.map((port) => {
    const nodePort = port.nodePort ?? oldNodePorts.get(`${port.protocol}:${port.port}`)
    return keepsNodePorts && nodePort !== undefined ? { ...port, nodePort } : port
  })
  return {
    ...object,
    spec: {
      ...spec,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(clusterIPs === undefined ? {} : { clusterIPs }),
      ...(ports === undefined ? {} : { ports }),
    },
  }
}

const externalAddress = (service: Service): string => {
  const { spec } = service
  const addresses = [...(spec.externalIPs ?? [])]
  if (spec.type === 'ExternalName') return orNone([spec.externalName ?? '', ...addresses].join(','))
  if (spec.type !== 'LoadBalancer') return orNone(addresses.join(','))
  const ingress = (service.status.loadBalancer.ingress ?? []).map(
    (entry) => entry.ip ?? entry.hostname ?? '',
  )
  const all = [...ingress, ...addresses].join(',')
  return all === '' ? '<pending>' : all
}

const portsText = (ports: readonly ServicePort[]): string =>
  orNone(
    ports
      .map(({ port, nodePort, protocol }) =>
        nodePort === undefined || nodePort === 0
          ? `${port}/${protocol ?? 'TCP'}`
          : `${port}:${nodePort}/${protocol ?? 'TCP'}`,
      )
      .join(','),
  )
