// What `balsa describe` shows of the kinds that people look at most, under the names that kubectl has for it.
import { formatSelector } from '../../resources/index.ts'
import type { Deployment } from '../../resources/deployment.ts'
import type { EndpointSlice } from '../../resources/endpoint-slice.ts'
import type { Node } from '../../resources/node.ts'
import type { Condition, KubeObject, Stored } from '../../resources/object.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import type { ContainerState, ContainerStatus, Pod } from '../../resources/pod.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import type { Service } from '../../resources/service.ts'
import { TablePrinter } from '../table-text.ts'
import type { ApiSession } from '../api-session.ts'
import type { Block, BlockValue } from './block.ts'

/** Undefined: the kind has none, all its fields are shown. */
export const sectionsOf = async (
  session: ApiSession,
  kind: string,
  object: Stored<KubeObject>,
): Promise<Block | undefined> => {
  if (kind === 'Pod') return podSections(object as Stored<Pod>)
  if (kind === 'Deployment') return deploymentSections(session, object as Stored<Deployment>)
  if (kind === 'Service') return serviceSections(session, object as Stored<Service>)
  if (kind === 'Node') return nodeSections(session, object as Stored<Node>)
  return undefined
}

const none = '<none>'
const table = (columns: readonly string[], rows: readonly (readonly string[])[]): BlockValue => {
  const lines = [columns, columns.map((name) => '-'.repeat(name.length)), ...rows]
  const columnDefinitions = columns.map((name) => ({ name }))
  const text = new TablePrinter({ hasHeaders: false }).text({
    kind: 'Table',
    columnDefinitions,
    rows: lines.map((cells) => ({ cells })),
  })
  return ['', ...text.trimEnd().split('\n')]
}
const conditions = (all: readonly Condition[] = []): BlockValue =>
  table(
    ['Type', 'Status', 'Reason'],
    all.map(({ type, status, reason = '' }) => [type, status, reason]),
  )
const quantities = (values: Readonly<Record<string, string>> = {}): BlockValue => ({
  block: Object.entries(values),
})

const stateOf = (state: ContainerState | undefined): Block => {
  if (state?.running !== undefined)
    return [
      ['State', 'Running'],
      ['  Started', state.running.startedAt ?? ''],
    ]
  if (state?.terminated !== undefined)
    return [
      ['State', 'Terminated'],
      ['  Reason', state.terminated.reason ?? ''],
      ['  Exit Code', String(state.terminated.exitCode)],
    ]
  return [
    ['State', 'Waiting'],
    ['  Reason', state?.waiting?.reason ?? 'ContainerCreating'],
  ]
}

const containerBlock = (container: Container, status?: ContainerStatus): Block => [
  ...(status?.containerID === undefined ? [] : [['Container ID', status.containerID] as const]),
  ['Image', container.image ?? ''],
  ['Ports', portsOf(container)],
  ...(container.command === undefined ? [] : [['Command', container.command] as const]),
  ...(container.args === undefined ? [] : [['Args', container.args] as const]),
  ...(status === undefined
    ? []
    : [
        ...stateOf(status.state),
        ['Ready', status.ready ? 'True' : 'False'] as const,
        ['Restart Count', String(status.restartCount)] as const,
      ]),
  ...(container.resources?.limits === undefined
    ? []
    : [['Limits', quantities(container.resources.limits)] as const]),
  ...(container.resources?.requests === undefined
    ? []
    : [['Requests', quantities(container.resources.requests)] as const]),
]

const portsOf = ({ ports = [] }: Container): string =>
  ports.length === 0
    ? none
    : ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`).join(', ')

const containersBlock = (
  containers: readonly Container[],
  statuses: readonly ContainerStatus[] = [],
): BlockValue => ({
  block: containers.map((container) => [
    container.name,
    {
      block: containerBlock(
        container,
        statuses.find(({ name }) => name === container.name),
      ),
    },
  ]),
})

const podSections = ({ metadata, spec, status }: Stored<Pod>): Block => {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true)
  return [
    ['Service Account', spec.serviceAccountName ?? 'default'],
    ['Node', spec.nodeName === undefined ? none : `${spec.nodeName}/${status.hostIP ?? ''}`],
    ['Start Time', status.startTime ?? ''],
    ['Status', metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating'],
    ['IP', status.podIP ?? ''],
    ...(controller === undefined
      ? []
      : [['Controlled By', `${controller.kind}/${controller.name}`] as const]),
    ...((spec.initContainers ?? []).length === 0
      ? []
      : [
          [
            'Init Containers',
            containersBlock(spec.initContainers ?? [], status.initContainerStatuses),
          ] as const,
        ]),
    ['Containers', containersBlock(spec.containers, status.containerStatuses)],
    ['Conditions', conditions(status.conditions)],
    ['QoS Class', status.qosClass ?? 'BestEffort'],
  ]
}

const deploymentSections = async (
  session: ApiSession,
  { metadata, spec, status }: Stored<Deployment>,
): Promise<Block> => {
  const { items } = await session.client.list<ReplicaSet>(
    { group: 'apps', version: 'v1', plural: 'replicasets' },
    { namespace: metadata.namespace ?? '', labelSelector: formatSelector(spec.selector) },
  )
  const own = items.filter(({ metadata: { ownerReferences = [] } }) =>
    ownerReferences.some(({ uid }) => uid === metadata.uid),
  )
  const revision = metadata.annotations?.['deployment.kubernetes.io/revision']
  const isNew = (set: Stored<ReplicaSet>): boolean =>
    set.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision
  const shown = (sets: readonly Stored<ReplicaSet>[]): string =>
    sets
      .filter((set) => isNew(set) || set.status.replicas > 0)
      .map(
        (set) =>
          `${set.metadata.name} (${set.status.replicas}/${set.spec.replicas ?? 1} replicas created)`,
      )
      .join(', ') || none
  const counts = [
    `${spec.replicas ?? 1} desired`,
    `${status.updatedReplicas ?? 0} updated`,
    `${status.replicas ?? 0} total`,
    `${status.availableReplicas ?? 0} available`,
    `${status.unavailableReplicas ?? 0} unavailable`,
  ]
  const { rollingUpdate } = spec.strategy
  return [
    ['CreationTimestamp', metadata.creationTimestamp],
    ['Selector', formatSelector(spec.selector)],
    ['Replicas', counts.join(' | ')],
    ['StrategyType', spec.strategy.type ?? 'RollingUpdate'],
    ['MinReadySeconds', String(spec.minReadySeconds ?? 0)],
    ...(rollingUpdate === undefined
      ? []
      : [
          [
            'RollingUpdateStrategy',
            `${rollingUpdate.maxUnavailable} max unavailable, ${rollingUpdate.maxSurge} max surge`,
          ] as const,
        ]),
    ['Pod Template', { block: [['Containers', containersBlock(spec.template.spec.containers)]] }],
    ['Conditions', conditions(status.conditions)],
    ['OldReplicaSets', shown(own.filter((set) => !isNew(set)))],
    ['NewReplicaSet', shown(own.filter(isNew))],
  ]
}

const serviceSections = async (
  session: ApiSession,
  { metadata, spec }: Stored<Service>,
): Promise<Block> => {
  const { items } = await session.client.list<EndpointSlice>(
    { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
    {
      namespace: metadata.namespace ?? '',
      labelSelector: `kubernetes.io/service-name=${metadata.name}`,
    },
  )
  const addresses = items.flatMap(({ endpoints = [], ports }) =>
    endpoints
      .filter(({ conditions: state }) => state?.ready !== false)
      .flatMap((each) =>
        each.addresses.flatMap((address) =>
          (ports ?? []).map(({ port }) => `${address}:${port ?? ''}`),
        ),
      ),
  )
  const selector = Object.entries(spec.selector ?? {}).map(([key, value]) => `${key}=${value}`)
  return [
    ['Selector', selector.join(',') || none],
    ['Type', spec.type ?? 'ClusterIP'],
    ['IP', spec.clusterIP ?? ''],
    ...(spec.ports ?? []).flatMap(
      ({ name = '<unset>', port, protocol = 'TCP', targetPort, nodePort }) => [
        ['Port', `${name}  ${port}/${protocol}`] as const,
        ['TargetPort', `${targetPort ?? port}/${protocol}`] as const,
        ...(nodePort === undefined
          ? []
          : [['NodePort', `${name}  ${nodePort}/${protocol}`] as const]),
      ],
    ),
    ['Endpoints', addresses.join(',') || none],
    ['Session Affinity', spec.sessionAffinity ?? 'None'],
  ]
}

const nodeSections = async (
  session: ApiSession,
  { metadata, spec, status }: Stored<Node>,
): Promise<Block> => {
  const { items } = await session.client.list<Pod>(
    { group: '', version: 'v1', plural: 'pods' },
    {
      fieldSelector: `spec.nodeName=${metadata.name},status.phase!=Failed,status.phase!=Succeeded`,
    },
  )
  const taints = (spec.taints ?? []).map(({ key, value, effect }) =>
    value === undefined || value === '' ? `${key}:${effect}` : `${key}=${value}:${effect}`,
  )
  return [
    ['CreationTimestamp', metadata.creationTimestamp],
    ['Taints', taints.length === 0 ? none : taints],
    ['Unschedulable', String(spec.unschedulable ?? false)],
    ['Conditions', conditions(status.conditions)],
    ['Capacity', quantities(status.capacity)],
    ['Allocatable', quantities(status.allocatable)],
    [
      'Non-terminated Pods',
      table(
        ['Namespace', 'Name'],
        items.map((pod) => [pod.metadata.namespace ?? '', pod.metadata.name]),
      ),
    ],
  ]
}
