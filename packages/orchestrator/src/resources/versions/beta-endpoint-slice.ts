// EndpointSlice as discovery.k8s.io/v1beta1 shows it: the node and the zone of an endpoint are entries of its topology.
import { endpointSliceType } from '../endpoint-slice.ts'
import type { EndpointSlice, SliceEndpoint } from '../endpoint-slice.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { servedAs } from '../served-version.ts'

type Topology = Readonly<Record<string, string>>
type BetaEndpoint = Omit<SliceEndpoint, 'zone'> & { readonly topology?: Topology }
type StoredEndpoint = SliceEndpoint & { readonly deprecatedTopology?: Topology }

const hostLabel = 'kubernetes.io/hostname'
const zoneLabel = 'topology.kubernetes.io/zone'

export const betaEndpointSliceType: ResourceType = servedAs(endpointSliceType, {
  version: 'v1beta1',
  toStorage: (object) => withEndpoints(object, storedEndpoint),
  fromStorage: (object) => withEndpoints(object, betaEndpoint),
})

/** The caller knows of which version the endpoints are. */
function withEndpoints(
  object: KubeObject,
  convert: (endpoint: BetaEndpoint & StoredEndpoint) => object,
): KubeObject {
  const { endpoints, ...rest } = object as EndpointSlice
  const converted = endpoints?.map(convert)
  return (converted === undefined ? rest : { ...rest, endpoints: converted }) as KubeObject
}

function storedEndpoint({ topology = {}, nodeName, ...same }: BetaEndpoint): StoredEndpoint {
  const { [hostLabel]: host, [zoneLabel]: zone, ...others } = topology
  const node = nodeName ?? host
  return {
    ...same,
    ...(node === undefined ? {} : { nodeName: node }),
    ...(zone === undefined ? {} : { zone }),
    ...(Object.keys(others).length === 0 ? {} : { deprecatedTopology: others }),
  }
}

function betaEndpoint({ zone, deprecatedTopology, ...same }: StoredEndpoint): BetaEndpoint {
  const { nodeName } = same
  const topology: Topology = {
    ...deprecatedTopology,
    ...(nodeName === undefined ? {} : { [hostLabel]: nodeName }),
    ...(zone === undefined ? {} : { [zoneLabel]: zone }),
  }
  return Object.keys(topology).length === 0 ? same : { ...same, topology }
}
