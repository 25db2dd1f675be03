// Where a Service is to be reached on this machine, and which endpoints stand behind each place: what kube-proxy makes of a Service and its
// EndpointSlices.
import type { EndpointSlice, SliceEndpoint } from '../../resources/endpoint-slice.ts'
import type { Stored } from '../../resources/object.ts'
import type { Service } from '../../resources/service.ts'

export interface ProxyEndpoint {
  readonly address: string
  readonly port: number
  /** '' where it is no pod of a node. */
  readonly nodeName: string
  readonly pod:
    | { readonly namespace: string; readonly name: string; readonly uid: string }
    | undefined
}

export interface ProxyPort {
  readonly protocol: 'TCP' | 'UDP'
  readonly address: string
  readonly port: number
  /** Never empty. */
  readonly endpoints: readonly ProxyEndpoint[]
  /** How long a client stays with its endpoint; undefined: each connection goes where it is its turn. */
  readonly affinityMs: number | undefined
}

const affinitySecondsDefault = 10_800
const loopback = '127.0.0.1'

export const proxyPortKey = ({ protocol, address, port }: ProxyPort): string =>
  `${protocol} ${address}:${port}`

/** Nothing for what has no address of its own, and for ports without endpoints: who connects there is refused. */
export const proxyPorts = (
  service: Stored<Service>,
  slices: readonly EndpointSlice[],
  isOwnNode: (name: string) => boolean,
): ProxyPort[] => {
  const { clusterIP = '', ports = [], type } = service.spec
  if (type === 'ExternalName' || clusterIP === '' || clusterIP === 'None') return []
  return ports.flatMap((port): ProxyPort[] => {
    const { name = '', protocol = 'TCP', nodePort = 0 } = port
    if (protocol !== 'TCP' && protocol !== 'UDP') return []
    const all = slices.flatMap((slice) => endpointsOf(slice, name, protocol))
    const places = [
      { address: clusterIP, port: port.port, policy: service.spec.internalTrafficPolicy },
      { address: loopback, port: nodePort, policy: service.spec.externalTrafficPolicy },
    ]
    return places.flatMap((place): ProxyPort[] => {
      if (place.port === 0) return []
      const near =
        place.policy === 'Local' ? all.filter(({ endpoint }) => isOwnNode(endpoint.nodeName)) : all
      const endpoints = usable(near)
      if (endpoints.length === 0) return []
      const { address, port: number } = place
      return [{ protocol, address, port: number, endpoints, affinityMs: affinityOf(service) }]
    })
  })
}

interface Candidate {
  readonly endpoint: ProxyEndpoint
  readonly conditions: SliceEndpoint['conditions']
}

const endpointsOf = (slice: EndpointSlice, name: string, protocol: string): Candidate[] => {
  const found = (slice.ports ?? []).find(
    (port) => (port.name ?? '') === name && (port.protocol ?? 'TCP') === protocol,
  )
  const port = found?.port
  if (port === undefined || slice.addressType === 'FQDN') return []
  return (slice.endpoints ?? []).flatMap(
    ({ addresses, conditions, nodeName = '', targetRef }): Candidate[] => {
      const [address] = addresses
      if (address === undefined) return []
      const { kind, namespace = '', name: podName = '', uid = '' } = targetRef ?? {}
      const pod = kind === 'Pod' ? { namespace, name: podName, uid } : undefined
      return [{ endpoint: { address, port, nodeName, pod }, conditions }]
    },
  )
}

/** Those that are ready; where none is, those that end and still serve. */
const usable = (all: readonly Candidate[]): ProxyEndpoint[] => {
  const ready = all.filter(({ conditions }) => conditions?.ready !== false)
  const left =
    ready.length > 0
      ? ready
      : all.filter(({ conditions }) => conditions?.serving === true && conditions.terminating)
  return left.map(({ endpoint }) => endpoint)
}

const affinityOf = ({ spec }: Stored<Service>): number | undefined => {
  if (spec.sessionAffinity !== 'ClientIP') return undefined
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? affinitySecondsDefault
  return seconds * 1000
}
