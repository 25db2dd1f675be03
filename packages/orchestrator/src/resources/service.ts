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
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } }
  readonly allocateLoadBalancerNodePorts?: boolean
  readonly healthCheckNodePort?: number
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

const affinitySeconds = 10_800

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
      ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
      ...withAffinity(spec),
      type,
      ...(spec.ports === undefined ? {} : { ports: spec.ports.map(portDefaults) }),
    },
  }
}

function withAffinity({ sessionAffinityConfig, ...spec }: ServiceSpec): ServiceSpec {
  const sessionAffinity = spec.sessionAffinity ?? 'None'
  if (sessionAffinity !== 'ClientIP') return { ...spec, sessionAffinity }
  const clientIP = { timeoutSeconds: affinitySeconds, ...sessionAffinityConfig?.clientIP }
  return { ...spec, sessionAffinity, sessionAffinityConfig: { clientIP } }
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

/** Addresses and node ports were allotted by the server: an update that leaves them out keeps them, one to a type without them drops them. */
export function keepAllocated(object: Service, old: Service): Service {
  if (object.spec.type === 'ExternalName') return withoutAddresses(object, old)
  const { spec } = object
  const hadAddress = old.spec.type !== 'ExternalName'
  const clusterIP = said(spec.clusterIP) ?? (hadAddress ? old.spec.clusterIP : undefined)
  const clusterIPs = spec.clusterIPs ?? (hadAddress ? old.spec.clusterIPs : undefined)
  const {
    externalTrafficPolicy,
    allocateLoadBalancerNodePorts,
    healthCheckNodePort,
    ports,
    ...rest
  } = spec
  const healthPort = takesHealthPort(object)
    ? (healthCheckNodePort ?? 0) === 0
      ? old.spec.healthCheckNodePort
      : healthCheckNodePort
    : undefined
  const keepsNodePorts = isExternal(spec.type)
  return {
    ...object,
    spec: {
      ...rest,
      ...(ports === undefined ? {} : { ports: keptPorts(ports, old, keepsNodePorts) }),
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(clusterIPs === undefined ? {} : { clusterIPs }),
      ...(keepsNodePorts && externalTrafficPolicy !== undefined ? { externalTrafficPolicy } : {}),
      ...(spec.type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== undefined
        ? { allocateLoadBalancerNodePorts }
        : {}),
      ...(healthPort === undefined ? {} : { healthCheckNodePort: healthPort }),
    },
  }
}

export const isExternal = (type: string | undefined): boolean =>
  type === 'NodePort' || type === 'LoadBalancer'

/** Where load balancers ask which nodes have pods of it. */
export const takesHealthPort = ({ spec }: Service): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

const said = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function keptPorts(
  ports: readonly ServicePort[],
  old: Service,
  keepsNodePorts: boolean,
): readonly ServicePort[] {
  const before = new Map(
    (old.spec.ports ?? []).map((port) => [`${port.protocol}:${port.port}`, port.nodePort]),
  )
  return ports.map(({ nodePort: sent, ...port }) => {
    const had = before.get(`${port.protocol}:${port.port}`)
    const isDropped = !keepsNodePorts && (sent === undefined || sent === had)
    const nodePort = isDropped ? undefined : (sent ?? had)
    return nodePort === undefined ? port : { ...port, nodePort }
  })
}

/** What an ExternalName cannot have, as far as it is what the server had allotted. */
function withoutAddresses(object: Service, old: Service): Service {
  const {
    clusterIP,
    clusterIPs: _addresses,
    ipFamilies: _families,
    ipFamilyPolicy: _policy,
    internalTrafficPolicy: _internal,
    externalTrafficPolicy: _external,
    allocateLoadBalancerNodePorts: _allocate,
    healthCheckNodePort: _healthPort,
    ports,
    ...rest
  } = object.spec
  const isOwn = (clusterIP ?? '') !== '' && clusterIP !== old.spec.clusterIP
  return {
    ...object,
    spec: {
      ...rest,
      ...(ports === undefined ? {} : { ports: keptPorts(ports, old, false) }),
      ...(isOwn ? { clusterIP } : {}),
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
