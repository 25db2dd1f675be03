// What one object uses of a quota, and whether a quota is about it. Pure: admission counts with it before it lets an object in, and a
// controller counts again what is there.
import type { KubeObject } from '../object.ts'
import type { Container, PodSpec, ResourceList } from '../pod-spec/pod-spec.ts'
import { qosClass } from '../pod-spec/qos-class.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
} from '../quantity.ts'
import type { ResourceQuota, ScopeRequirement } from './resource-quota.ts'

/** Names of quota resources with how much of them. */
export type QuotaUsage = ReadonlyMap<string, Quantity>

interface KindName {
  readonly group: string
  readonly plural: string
}

const one: Quantity = { value: 10n ** 9n, format: 'DecimalSI' }
export const nothing: Quantity = { value: 0n, format: 'DecimalSI' }
/** Kinds that are counted by their plural alone too. */
const countedKinds = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
])
/** What nobody counts. */
const uncounted = new Set(['events', 'bindings'])
/** Resources that may be asked for without `requests.` before them. */
const shortRequests = new Set(['cpu', 'memory', 'ephemeral-storage'])

export const usageOfObject = (kind: KindName, object: KubeObject): QuotaUsage => {
  const usage = new Map<string, Quantity>()
  const { group, plural } = kind
  if (uncounted.has(plural)) return usage
  if (group === '' && plural === 'pods' && hasEnded(object)) return usage
  usage.set(group === '' ? `count/${plural}` : `count/${plural}.${group}`, one)
  if (group !== '') return usage
  if (countedKinds.has(plural)) usage.set(plural, one)
  if (plural === 'pods') addPod(usage, (object as KubeObject & { spec: PodSpec }).spec)
  else if (plural === 'persistentvolumeclaims') addClaim(usage, object)
  else if (plural === 'services') addService(usage, object)
  return usage
}

/** Pods that have ended use nothing. */
const hasEnded = (object: KubeObject): boolean => {
  const { status } = object as KubeObject & { status?: { phase?: string } }
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

const addPod = (usage: Map<string, Quantity>, spec: PodSpec): void => {
  for (const side of ['requests', 'limits'] as const) {
    for (const [name, quantity] of podTotal(spec, side)) {
      usage.set(`${side}.${name}`, quantity)
      if (side === 'requests' && shortRequests.has(name)) usage.set(name, quantity)
    }
  }
}

/** Of all containers together, or of the init container that asks the most, with the pod's overhead. */
export const podTotal = (spec: PodSpec, side: 'requests' | 'limits'): Map<string, Quantity> => {
  const total = new Map<string, Quantity>()
  for (const container of spec.containers) addList(total, container.resources[side])
  for (const container of spec.initContainers ?? []) {
    for (const [name, text] of Object.entries(container.resources[side] ?? {})) {
      const quantity = parseQuantity(text) ?? nothing
      const present = total.get(name)
      if (present === undefined || compareQuantities(quantity, present) > 0)
        total.set(name, quantity)
    }
  }
  if (side === 'requests') addList(total, spec.overhead)
  return total
}

const addList = (total: Map<string, Quantity>, list: ResourceList | undefined): void => {
  for (const [name, text] of Object.entries(list ?? {})) {
    const quantity = parseQuantity(text) ?? nothing
    total.set(
      name,
      addQuantities(total.get(name) ?? { ...nothing, format: quantity.format }, quantity),
    )
  }
}

const addClaim = (usage: Map<string, Quantity>, object: KubeObject): void => {
  const { spec } = object as KubeObject & {
    spec?: { storageClassName?: string; resources?: { requests?: ResourceList } }
  }
  const storage = parseQuantity(spec?.resources?.requests?.['storage'] ?? '0') ?? nothing
  usage.set('requests.storage', storage)
  const storageClass = spec?.storageClassName ?? ''
  if (storageClass === '') return
  const suffix = '.storageclass.storage.k8s.io/'
  usage.set(`${storageClass}${suffix}requests.storage`, storage)
  usage.set(`${storageClass}${suffix}persistentvolumeclaims`, one)
}

const addService = (usage: Map<string, Quantity>, object: KubeObject): void => {
  const { spec } = object as KubeObject & {
    spec?: {
      type?: string
      ports?: readonly unknown[]
      allocateLoadBalancerNodePorts?: boolean
    }
  }
  const ports: Quantity = {
    value: BigInt(spec?.ports?.length ?? 0) * one.value,
    format: 'DecimalSI',
  }
  if (spec?.type === 'NodePort') usage.set('services.nodeports', ports)
  if (spec?.type !== 'LoadBalancer') return
  usage.set('services.loadbalancers', one)
  if (spec.allocateLoadBalancerNodePorts !== false) usage.set('services.nodeports', ports)
}

/** Whether the quota is about this object: all its scopes match. Scopes are about pods (and claims of classes) alone. */
export const matchesScopes = (
  { spec }: ResourceQuota,
  kind: KindName,
  object: KubeObject,
): boolean => {
  const requirements: readonly ScopeRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
  if (requirements.length === 0) return true
  if (kind.group !== '' || kind.plural !== 'pods') return false
  const pod = (object as KubeObject & { spec: PodSpec }).spec
  return requirements.every((requirement) => matchesScope(requirement, pod))
}

const matchesScope = (
  { scopeName, operator, values = [] }: ScopeRequirement,
  pod: PodSpec,
): boolean => {
  switch (scopeName) {
    case 'Terminating':
      return pod.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return pod.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qosClass(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod) !== 'BestEffort'
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    default: {
      const name = pod.priorityClassName ?? ''
      if (operator === 'Exists') return name !== ''
      if (operator === 'DoesNotExist') return name === ''
      return values.includes(name) === (operator === 'In')
    }
  }
}

const reachesOtherNamespaces = ({ affinity }: PodSpec): boolean =>
  [affinity?.podAffinity, affinity?.podAntiAffinity].some((one) =>
    [
      ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        (weighted) => weighted.podAffinityTerm,
      ),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  )

/** Resources of the quota that containers of the pod must say something about and do not: `cpu` by container. */
export const unspecified = (quota: ResourceQuota, spec: PodSpec): Map<string, string[]> => {
  const missing = new Map<string, string[]>()
  for (const name of Object.keys(quota.spec.hard ?? {})) {
    const says = containerCheck(name)
    if (says === undefined) continue
    const silent = [...(spec.initContainers ?? []), ...spec.containers].filter((one) => !says(one))
    if (silent.length > 0)
      missing.set(
        name,
        silent.map((container) => container.name),
      )
  }
  return missing
}

const containerCheck = (name: string): ((container: Container) => boolean) | undefined => {
  const isLimit = name.startsWith('limits.')
  const resource = name.replace(/^(?:limits|requests)\./, '')
  if (!shortRequests.has(resource)) return undefined
  return ({ resources }) =>
    (isLimit ? resources.limits : resources.requests)?.[resource] !== undefined
}

export const usageText = (usage: QuotaUsage, names: readonly string[]): string =>
  names
    .toSorted()
    .map((name) => `${name}=${formatQuantity(usage.get(name) ?? nothing)}`)
    .join(',')
