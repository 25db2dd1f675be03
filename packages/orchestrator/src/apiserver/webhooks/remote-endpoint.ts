// Where another server is that the apiserver calls: by a URL, or by a service, whose ready addresses are asked one after another.
import type { Endpoints } from '../../resources/endpoints.ts'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import type { ServiceReference } from '../../resources/admission/webhook-configuration.ts'
import type { Service } from '../../resources/service.ts'
import { ApiError, type ResourceRef } from '../../client/api-client.ts'
import type { Registry } from '../registry/registry.ts'

export interface RemoteEndpoint {
  readonly host: string
  readonly port: number
  /** Begins with '/'. */
  readonly path: string
  /** The name in its certificate. */
  readonly serverName: string
}

export interface ServiceAddress {
  readonly host: string
  readonly port: number
}

/** What there is of a service's port. */
export type ServiceLookup =
  | { readonly found: 'nothing' | 'no port' }
  | { readonly found: 'no endpoints' | 'no addresses'; readonly portName: string }
  | { readonly found: 'addresses'; readonly addresses: readonly ServiceAddress[] }

export const serviceNameLabel = 'kubernetes.io/service-name'

export class ServiceEndpoints {
  readonly #core: (plural: string) => Registry
  readonly #find: (ref: ResourceRef) => Registry | undefined
  #turn = 0

  constructor(
    core: (plural: string) => Registry,
    find: (ref: ResourceRef) => Registry | undefined,
  ) {
    this.#core = core
    this.#find = find
  }

  ofUrl(text: string): RemoteEndpoint {
    const url = new URL(text)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = url.port === '' ? 443 : Number(url.port)
    return { host, port, path: url.pathname, serverName: host }
  }

  /** Throws ApiError ServiceUnavailable where no address is ready. */
  ofService(reference: ServiceReference): RemoteEndpoint {
    const { namespace, name, path = '/', port = 443 } = reference
    const lookup = this.lookUp({ namespace, name, port })
    switch (lookup.found) {
      case 'nothing':
        throw unavailable(`service ${JSON.stringify(name)} not found`)
      case 'no port':
        throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
      case 'no endpoints':
      case 'no addresses':
        throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
      case 'addresses': {
        const { addresses } = lookup
        const chosen = addresses[this.#turn++ % addresses.length]
        if (chosen === undefined) throw unavailable('service unavailable')
        return { ...chosen, path, serverName: `${name}.${namespace}.svc` }
      }
    }
  }

  /** The ready addresses behind `port` of a service, as the caches show them. */
  lookUp(of: {
    readonly namespace: string
    readonly name: string
    readonly port: number
  }): ServiceLookup {
    const { namespace, name, port } = of
    const key = `${namespace}/${name}`
    const service = this.#core('services').cache.get(key)?.object as Service | undefined
    if (service === undefined) return { found: 'nothing' }
    const { type, externalName = '', ports } = service.spec
    if (type === 'ExternalName') {
      return { found: 'addresses', addresses: [{ host: externalName, port }] }
    }
    const servicePort = ports?.find((one) => one.port === port)
    if (servicePort === undefined) return { found: 'no port' }
    const portName = servicePort.name ?? ''
    const endpoints = this.#core('endpoints').cache.get(key)?.object as Endpoints | undefined
    const slices = endpoints === undefined ? this.#slicesOf(namespace, name) : []
    if (endpoints === undefined && slices.length === 0) return { found: 'no endpoints', portName }
    const addresses =
      endpoints === undefined
        ? slices.flatMap((slice) => ofSlice(slice, portName))
        : ofEndpoints(endpoints, portName)
    return addresses.length === 0
      ? { found: 'no addresses', portName }
      : { found: 'addresses', addresses }
  }

  /** For services whose addresses somebody writes as slices alone. */
  #slicesOf(namespace: string, service: string): EndpointSlice[] {
    const registry = this.#find(endpointSliceType)
    if (registry === undefined) return []
    return [...registry.cache.list(`${namespace}/`)]
      .map(({ object }) => object as unknown as EndpointSlice)
      .filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === service)
  }
}

const ofEndpoints = ({ subsets = [] }: Endpoints, portName: string): ServiceAddress[] =>
  subsets.flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(({ name = '' }) => name === portName)?.port
    return port === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port }))
  })

const ofSlice = (
  { endpoints = [], ports = [] }: EndpointSlice,
  portName: string,
): ServiceAddress[] => {
  const port = ports.find(({ name = '' }) => name === portName)?.port
  if (port === undefined) return []
  return endpoints
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port })))
}

const unavailable = (message: string): ApiError => new ApiError(503, 'ServiceUnavailable', message)
