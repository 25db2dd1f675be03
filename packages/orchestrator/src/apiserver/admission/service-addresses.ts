// Admission: gives Services their cluster address and node ports, each used once.
import { isIP } from 'node:net'
import type { FieldError, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import {
  isExternal,
  keepAllocated,
  type Service,
  type ServicePort,
  takesHealthPort,
} from '../../resources/service.ts'
import { internalError, invalid } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { Registry } from '../registry/registry.ts'

/** Where every machine can listen without more. Its first address is that of the service `kubernetes`. */
export const serviceNetwork = '127.96.0.0/16'
const networkPrefix = '127.96.'
const hostsMax = 65_534
export const kubernetesAddress = '127.96.0.1'
const nodePortFirst = 30_000
const nodePortLast = 32_767
/** How long an address is held for a create that is under way. */
const reservationMs = 60_000

interface Used {
  readonly addresses: ReadonlySet<string>
  readonly nodePorts: ReadonlySet<number>
}

export class ServiceAddresses implements AdmissionPlugin {
  readonly name = 'ServiceAddresses'
  readonly #services: () => Registry
  readonly #now: () => number
  /** Handed out, but perhaps not in the cache yet: value and the time it was. */
  readonly #reserved = new Map<string | number, number>()

  constructor(services: () => Registry, now: () => number) {
    this.#services = services
    this.#now = now
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isService = type.group === '' && type.kind === 'Service'
    const isWrite = operation === 'CREATE' || operation === 'UPDATE'
    return isWrite && isService && subresource === ''
  }

  mutate({ object, oldObject, dryRun }: AdmissionRequest): KubeObject {
    const old = oldObject as Stored<Service> | undefined
    const service = old === undefined ? (object as Service) : keepAllocated(object as Service, old)
    if (service.spec.type === 'ExternalName') return service
    const named = withFamilies(service)
    if (dryRun || !lacks(service, old)) return named
    const used = this.#used(old)
    const clusterIP = hasAddress(service, old)
      ? service.spec.clusterIP
      : this.#address(service, used, old)
    const ports = this.#ports(service, used, old)
    const healthPort = this.#healthPort(service, used, old)
    return {
      ...named,
      spec: { ...named.spec, ...healthPort, ports, clusterIP, clusterIPs: [clusterIP] },
    } as KubeObject
  }

  #address(service: Service, used: Used, old: Stored<Service> | undefined): string {
    const asked = service.spec.clusterIP ?? ''
    if (asked !== '') {
      // 'None', or what validation refuses: no address, or another one than it has.
      const hasOne = (old?.spec.clusterIP ?? '') !== ''
      if (hasOne || isIP(asked) === 0) return asked
      const message = !isInNetwork(asked)
        ? `the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${serviceNetwork}`
        : used.addresses.has(asked)
          ? 'provided IP is already allocated'
          : undefined
      if (message !== undefined) {
        throw refuse(service, {
          reason: 'FieldValueInvalid',
          field: 'spec.clusterIPs',
          message: `Invalid value: ["${asked}"]: failed to allocate IP ${asked}: ${message}`,
        })
      }
      return this.#reserve(asked)
    }
    const start = Math.floor(Math.random() * hostsMax)
    for (let step = 0; step < hostsMax; step++) {
      const host = 1 + ((start + step) % hostsMax)
      const address = `${networkPrefix}${host >> 8}.${host & 0xff}`
      if (address !== kubernetesAddress && !used.addresses.has(address)) {
        return this.#reserve(address)
      }
    }
    throw internalError('failed to allocate a serviceIP: range is full')
  }

  #ports(service: Service, used: Used, old: Stored<Service> | undefined): readonly ServicePort[] {
    const ports = service.spec.ports ?? []
    if (!takesNodePorts(service)) return ports
    const own = new Set((old?.spec.ports ?? []).map(({ nodePort }) => nodePort))
    return ports.map((port, index) => {
      const asked = port.nodePort ?? 0
      if (asked !== 0 && own.has(asked)) return port
      if (asked === 0) return { ...port, nodePort: this.#nodePort(used) }
      const message =
        asked < nodePortFirst || asked > nodePortLast
          ? `provided port is not in the valid range. The range of valid ports is ${nodePortFirst}-${nodePortLast}`
          : used.nodePorts.has(asked)
            ? 'provided port is already allocated'
            : undefined
      if (message !== undefined) {
        throw refuse(service, {
          reason: 'FieldValueInvalid',
          field: `spec.ports[${index}].nodePort`,
          message: `Invalid value: ${asked}: ${message}`,
        })
      }
      return { ...port, nodePort: this.#reserve(asked) }
    })
  }

  #healthPort(service: Service, used: Used, old: Stored<Service> | undefined): object {
    if (!takesHealthPort(service)) return {}
    const asked = service.spec.healthCheckNodePort ?? 0
    if (asked === 0) return { healthCheckNodePort: this.#nodePort(used) }
    if (asked !== old?.spec.healthCheckNodePort && used.nodePorts.has(asked)) {
      throw refuse(service, {
        reason: 'FieldValueInvalid',
        field: 'spec.healthCheckNodePort',
        message: `Invalid value: ${asked}: provided port is already allocated`,
      })
    }
    return { healthCheckNodePort: this.#reserve(asked) }
  }

  #nodePort(used: Used): number {
    const count = nodePortLast - nodePortFirst + 1
    const start = Math.floor(Math.random() * count)
    for (let step = 0; step < count; step++) {
      const port = nodePortFirst + ((start + step) % count)
      if (!used.nodePorts.has(port) && !this.#reserved.has(port)) return this.#reserve(port)
    }
    throw internalError('failed to allocate a nodePort: range is full')
  }

  #reserve<T extends string | number>(value: T): T {
    this.#reserved.set(value, this.#now())
    return value
  }

  /** By others than `own`. */
  #used(own: Stored<Service> | undefined): Used {
    const addresses = new Set<string>()
    const nodePorts = new Set<number>()
    for (const stored of this.#services().cache.list('')) {
      const { spec, metadata } = stored.object as unknown as Stored<Service>
      if (metadata.uid === own?.metadata.uid) continue
      for (const address of spec.clusterIPs ?? [spec.clusterIP ?? '']) addresses.add(address)
      for (const port of spec.ports ?? []) nodePorts.add(port.nodePort ?? 0)
      nodePorts.add(spec.healthCheckNodePort ?? 0)
    }
    const oldest = this.#now() - reservationMs
    for (const [value, at] of this.#reserved) {
      if (at < oldest) this.#reserved.delete(value)
      else if (typeof value === 'string') addresses.add(value)
      else nodePorts.add(value)
    }
    return { addresses, nodePorts }
  }
}

/** The first and the last address of a network are nobody's. */
const isInNetwork = (address: string): boolean =>
  address.startsWith(networkPrefix) &&
  address !== `${networkPrefix}0.0` &&
  address !== `${networkPrefix}255.255`

const takesNodePorts = ({ spec }: Service): boolean =>
  isExternal(spec.type) &&
  (spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false)

const hasAddress = ({ spec }: Service, old: Stored<Service> | undefined): boolean =>
  (spec.clusterIP ?? '') !== '' && spec.clusterIP === old?.spec.clusterIP

/** Whether something is to be handed out, or to be checked that is asked for by name. */
const lacks = (service: Service, old: Stored<Service> | undefined): boolean => {
  if (!hasAddress(service, old)) return true
  if (takesHealthPort(service) && (service.spec.healthCheckNodePort ?? 0) === 0) return true
  if (!takesNodePorts(service)) return false
  const own = new Set((old?.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0))
  return (service.spec.ports ?? []).some(({ nodePort = 0 }) => nodePort === 0 || !own.has(nodePort))
}

const withFamilies = (service: Service): Service => ({
  ...service,
  spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], ...service.spec },
})

const refuse = (service: Service, error: FieldError): Error =>
  invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [error])
