// The pod's own fields and its containers' resources, as environment values and downward API files see them.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { parseQuantity } from '../../resources/quantity.ts'
import { ConfigError } from './config-source.ts'

/** What is known of a pod on its node. */
export interface PodPlace {
  readonly pod: Stored<Pod>
  readonly podIp: string
  readonly hostIp: string
  /** What a container gets when it names no limit. */
  readonly allocatable: Readonly<Record<string, string>>
}

export function podField(path: string, place: PodPlace): string {
  const { pod, podIp, hostIp } = place
  const keyed = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path)
  if (keyed !== null) {
    const values = keyed[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations
    return values?.[keyed[2] ?? ''] ?? ''
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return mapText(pod.metadata.labels)
    case 'metadata.annotations':
      return mapText(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIp
    case 'status.podIP':
    case 'status.podIPs':
      return podIp
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`)
  }
}

/** Lines `key="value"`, as the downward API writes maps. */
const mapText = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')

export function resourceField(
  selector: {
    readonly containerName?: string
    readonly resource: string
    readonly divisor?: string
  },
  containerName: string,
  place: PodPlace,
): string {
  const { spec } = place.pod
  const wanted = selector.containerName ?? containerName
  const container = [...spec.containers, ...(spec.initContainers ?? [])].find(
    ({ name }) => name === wanted,
  )
  if (container === undefined) throw new ConfigError(`container ${wanted} not found`)
  const [kind = '', ...rest] = selector.resource.split('.')
  const name = rest.join('.')
  const amounts = kind === 'limits' ? container.resources.limits : container.resources.requests
  const text = amounts?.[name] ?? (kind === 'limits' ? place.allocatable[name] : undefined) ?? '0'
  const divisorText = selector.divisor
  const divisor = parseQuantity(
    divisorText === undefined || divisorText === '0' ? '1' : divisorText,
  )
  const amount = parseQuantity(text)
  if (amount === undefined || divisor === undefined || divisor.value <= 0n)
    throw new ConfigError(`unsupported container resource: ${selector.resource}`)
  return String((amount.value + divisor.value - 1n) / divisor.value)
}
