// What a pod asks of a node: resources (cpu in thousandths, all else in units) and host ports.
import type { Container, ResourceList } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'
import { parseQuantity, quantityMilli, quantityUnits } from '../../resources/quantity.ts'

/** Amounts by resource name. */
export type Amounts = ReadonlyMap<string, number>
export interface PodDemand {
  readonly requests: Amounts
  /** Cpu and memory with what upstream assumes for containers that ask for nothing; for scores only. */
  readonly scored: { readonly cpu: number; readonly memory: number }
  /** `PROTOCOL/IP/PORT` */
  readonly hostPorts: readonly string[]
}

const assumedCpu = 100
const assumedMemory = 200 * 1024 * 1024

/** Clusters use few different texts, and reading one is dear. */
const rememberedMax = 10_000
const remembered = { milli: new Map<string, number>(), units: new Map<string, number>() }

export const amountOf = (resource: string, text: string): number => {
  const known = resource === 'cpu' ? remembered.milli : remembered.units
  const found = known.get(text)
  if (found !== undefined) return found
  const quantity = parseQuantity(text)
  if (quantity === undefined) return 0
  const amount = resource === 'cpu' ? quantityMilli(quantity) : quantityUnits(quantity)
  if (known.size >= rememberedMax) known.clear()
  known.set(text, amount)
  return amount
}

export const amountsOf = (list: ResourceList | undefined): Map<string, number> =>
  new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(name, text)]))

export function podDemand({ spec }: Pod): PodDemand {
  const { containers, initContainers = [] } = spec
  const requests = total(containers, initContainers, ({ resources }) =>
    amountsOf(resources.requests),
  )
  for (const [name, amount] of amountsOf(spec.overhead)) add(requests, name, amount)
  const scored = total(containers, initContainers, scoredAmounts)
  return {
    requests,
    scored: { cpu: scored.get('cpu') ?? 0, memory: scored.get('memory') ?? 0 },
    hostPorts: hostPorts([...containers, ...initContainers.filter(isSidecar)]),
  }
}

/** Containers run side by side and add up; init containers run before them one by one; those that stay (sidecars) count for all after. */
function total(
  containers: readonly Container[],
  initContainers: readonly Container[],
  amounts: (container: Container) => Amounts,
): Map<string, number> {
  const sum = new Map<string, number>()
  for (const container of containers)
    for (const [name, amount] of amounts(container)) add(sum, name, amount)
  const staying = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of initContainers) {
    for (const [name, amount] of amounts(container)) {
      const needed = amount + (staying.get(name) ?? 0)
      peak.set(name, Math.max(peak.get(name) ?? 0, needed))
      if (isSidecar(container)) add(staying, name, amount)
    }
  }
  for (const [name, amount] of staying) add(sum, name, amount)
  for (const [name, amount] of peak) sum.set(name, Math.max(sum.get(name) ?? 0, amount))
  return sum
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'

const add = (sum: Map<string, number>, name: string, amount: number): void => {
  sum.set(name, (sum.get(name) ?? 0) + amount)
}

const scoredAmounts = ({ resources }: Container): Amounts => {
  const asked = amountsOf(resources.requests)
  return new Map([
    ['cpu', asked.get('cpu') ?? assumedCpu],
    ['memory', asked.get('memory') ?? assumedMemory],
  ])
}

const hostPorts = (containers: readonly Container[]): string[] =>
  containers.flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [`${protocol ?? 'TCP'}/${hostIP ?? '0.0.0.0'}/${hostPort}`],
    ),
  )

const anyAddress = '0.0.0.0'

/** Two host ports clash when they are the same port of the same address, or one is of every address. */
export const portsClash = (left: string, right: string): boolean => {
  const [protocol, ip, port] = left.split('/')
  const [otherProtocol, otherIp, otherPort] = right.split('/')
  return (
    protocol === otherProtocol &&
    port === otherPort &&
    (ip === otherIp || ip === anyAddress || otherIp === anyAddress)
  )
}
