// Carries the traffic of Services on this machine: a port of loopback for each port of a cluster address and each node port, opened while
// there are endpoints behind it. No root, no rules of the kernel: connections are joined here.
import { connect, isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ApiClient } from '../../client/api-client.ts'
import { Informer } from '../../client/informer.ts'
import { serviceNameLabel } from '../../controllers/endpoint-slices.ts'
import { endpointSliceType, type EndpointSlice } from '../../resources/endpoint-slice.ts'
import { serviceType, type Service } from '../../resources/service.ts'
import type { Stored } from '../../resources/object.ts'
import type { RelayTarget } from '../tunnel/pod-relay.ts'
import { Connections } from './connections.ts'
import { type ProxyEndpoint, proxyPortKey, proxyPorts, type ProxyPort } from './proxy-ports.ts'
import { TcpPort } from './tcp-port.ts'
import { UdpPort } from './udp-port.ts'

export interface ServiceProxyOptions {
  /** May list and watch services and endpoint slices. */
  readonly client: ApiClient
  /** The nodes whose pods run on this machine. */
  readonly isOwnNode: (nodeName: string) => boolean
  /** To a pod of another node. */
  readonly dialFar: (target: RelayTarget) => Promise<Duplex>
  readonly onError: (error: unknown) => void
}

interface OpenPort {
  set(port: ProxyPort): void
  close(): void
}

const connectionsMax = 8000
const dialTimeoutMs = 5000
const byService = 'service'
/** Also a number that every machine has room for. */
const portsMax = 10_000

export class ServiceProxy {
  readonly #options: ServiceProxyOptions
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  readonly #connections = new Connections(connectionsMax)
  /** By the service's key, then by place. */
  readonly #open = new Map<string, Map<string, OpenPort>>()
  readonly #taken = new Set<string>()
  readonly #dirty = new Set<string>()
  #isClosed = false

  private constructor(options: ServiceProxyOptions) {
    this.#options = options
    const { client, onError } = options
    this.#services = new Informer<Service>({ client, ref: serviceType, onError })
    this.#slices = new Informer<EndpointSlice>({
      client,
      ref: endpointSliceType,
      indexes: { [byService]: (slice) => [serviceOf(slice)] },
      onError,
    })
  }

  /** It follows the cluster from now on; ports are opened as soon as it is known what for. */
  static start(options: ServiceProxyOptions): ServiceProxy {
    const proxy = new ServiceProxy(options)
    proxy.#services.onChange((key) => proxy.#touch(key))
    proxy.#slices.onChange((_key, current, previous) => {
      for (const slice of [current, previous])
        if (slice !== undefined) proxy.#touch(serviceOf(slice))
    })
    proxy.#services.start()
    proxy.#slices.start()
    return proxy
  }

  /** Ports are closed, connections cut. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#services.close()
    this.#slices.close()
    for (const places of this.#open.values()) for (const port of places.values()) port.close()
    this.#open.clear()
    this.#connections.destroyAll()
    return Promise.resolve()
  }

  /** Many changes of one turn are looked at once. */
  #touch(key: string): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#lookAtAll())
    this.#dirty.add(key)
  }

  #lookAtAll(): void {
    const keys = [...this.#dirty]
    this.#dirty.clear()
    if (!this.#isClosed) for (const key of keys) this.#lookAt(key)
  }

  #lookAt(key: string): void {
    const service = this.#services.get(key)
    const slices = this.#slices.find(byService, key)
    const wanted = new Map(
      service === undefined
        ? []
        : proxyPorts(service, slices, this.#options.isOwnNode).map((port) => [
            proxyPortKey(port),
            port,
          ]),
    )
    const places = this.#open.get(key) ?? new Map<string, OpenPort>()
    for (const [place, port] of places) {
      if (wanted.has(place)) continue
      places.delete(place)
      this.#taken.delete(place)
      port.close()
    }
    for (const [place, port] of wanted) {
      const known = places.get(place)
      if (known !== undefined) known.set(port)
      else if (!this.#taken.has(place) && this.#taken.size < portsMax) {
        places.set(place, this.#openPort(port))
        this.#taken.add(place)
      }
    }
    if (places.size > 0) this.#open.set(key, places)
    else this.#open.delete(key)
  }

  #openPort(port: ProxyPort): OpenPort {
    const { onError } = this.#options
    if (port.protocol === 'UDP') return new UdpPort(port, onError)
    const { address, port: number } = port
    return new TcpPort(port, {
      address,
      port: number,
      dial: (endpoint) => this.#dial(endpoint),
      connections: this.#connections,
      onError,
    })
  }

  #dial(endpoint: ProxyEndpoint): Promise<Duplex> {
    const { isOwnNode, dialFar } = this.#options
    const { nodeName, pod, port } = endpoint
    if (pod === undefined || nodeName === '' || isOwnNode(nodeName)) return dialNear(endpoint)
    return dialFar({ nodeName, pod, port })
  }
}

const serviceOf = (slice: Stored<EndpointSlice>): string => {
  const { namespace = '', labels } = slice.metadata
  return `${namespace}/${labels?.[serviceNameLabel] ?? ''}`
}

const dialNear = ({ address: host, port }: ProxyEndpoint): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      family: isIPv6(host) ? 6 : 4,
      allowHalfOpen: true,
      noDelay: true,
      timeout: dialTimeoutMs,
    })
    socket.once('timeout', () => socket.destroy(new Error('the endpoint does not answer')))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
