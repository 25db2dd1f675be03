// metrics.k8s.io: what nodes and pods use at this moment, asked of the nodes' agents for each request and kept nowhere.
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { methodNotAllowed, notFound } from '../api-errors.ts'
import type { VirtualResource } from '../discovery/discovery.ts'
import type { NodeConnections, NodeStats, PodStats } from '../node-connections.ts'
import type { Registries } from '../registry/registries.ts'
import { filterOf } from '../registry/selection.ts'
import { withoutKind } from '../storage/stored-object.ts'
import type { Exchange } from '../wire/exchange.ts'
import { sendValue } from '../wire/replies.ts'
import type { ResourcePath } from '../wire/request-path.ts'

const group = 'metrics.k8s.io'
const version = 'v1beta1'
const apiVersion = `${group}/${version}`
const verbs = ['get', 'list']

const measured = {
  timestamp: { description: 'When it was measured.', type: 'string', format: 'date-time' },
  window: { description: 'Over how long it was measured.', type: 'string' },
} as const
const amounts = {
  description: 'What is used of each resource.',
  type: 'object',
  additionalProperties: { type: 'string' },
} as const
const containers = {
  description: 'What each container uses.',
  type: 'array',
  items: { type: 'object', properties: { name: { type: 'string' }, usage: amounts } },
} as const

export const metricsResources: readonly VirtualResource[] = [
  {
    group,
    version,
    verbs,
    kind: 'NodeMetrics',
    plural: 'nodes',
    singular: '',
    openApiSchema: {
      description: 'What a node uses.',
      type: 'object',
      properties: { ...measured, usage: amounts },
    },
  },
  {
    group,
    version,
    verbs,
    kind: 'PodMetrics',
    plural: 'pods',
    singular: '',
    namespaced: true,
    openApiSchema: {
      description: 'What the containers of a pod use.',
      type: 'object',
      properties: { ...measured, containers },
    },
  },
]

export interface MetricsSources {
  readonly registries: Registries
  readonly nodes: NodeConnections
}

interface Usage {
  readonly cpuNanocores: number
  readonly memoryBytes: number
}

export const findMetricsResource = (path: ResourcePath): VirtualResource | undefined =>
  path.group === group && path.version === version && path.subresource === undefined
    ? metricsResources.find(({ plural }) => plural === path.plural)
    : undefined

export const handleMetrics = async (
  exchange: Exchange,
  { kind }: VirtualResource,
  { path, ...sources }: MetricsSources & { readonly path: ResourcePath },
): Promise<void> => {
  if (exchange.method !== 'GET') throw methodNotAllowed()
  const items =
    kind === 'NodeMetrics'
      ? await nodeMetrics(exchange, path, sources)
      : await podMetrics(exchange, path, sources)
  if (path.name === undefined) {
    sendValue(exchange, 200, {
      kind: `${kind}List`,
      apiVersion,
      metadata: {},
      items: items.map(withoutKind),
    })
    return
  }
  const [only] = items
  if (only === undefined) throw notFound({ group, resource: path.plural }, path.name)
  sendValue(exchange, 200, only)
}

const nodeMetrics = async (
  exchange: Exchange,
  path: ResourcePath,
  sources: MetricsSources,
): Promise<object[]> => {
  const found = await listed(exchange, path, sources)
  const items = await Promise.all(
    found.map(async ({ metadata }) => {
      const stats = await statsOf(sources.nodes, metadata.name)
      if (stats === undefined) return []
      return [{ ...head('NodeMetrics', metadata, stats), usage: usage(stats) }]
    }),
  )
  return items.flat()
}

const podMetrics = async (
  exchange: Exchange,
  path: ResourcePath,
  sources: MetricsSources,
): Promise<object[]> => {
  const pods = await listed(exchange, path, sources)
  const nodeNames = new Set(pods.map((pod) => (pod as Stored<Pod>).spec.nodeName ?? ''))
  // Of pods that run elsewhere a node may say what it likes.
  const byNode = new Map<string, { readonly node: NodeStats; readonly pod: PodStats }>()
  await Promise.all(
    [...nodeNames].map(async (name) => {
      const node = await statsOf(sources.nodes, name)
      if (node === undefined) return
      for (const pod of node.pods) byNode.set(`${name} ${pod.uid}`, { node, pod })
    }),
  )
  return pods.flatMap((listedPod) => {
    const { metadata, spec } = listedPod as Stored<Pod>
    const found = byNode.get(`${spec.nodeName ?? ''} ${metadata.uid}`)
    if (found === undefined || found.pod.containers.length === 0) return []
    const containers = found.pod.containers.map((one) => ({ name: one.name, usage: usage(one) }))
    return [{ ...head('PodMetrics', metadata, found.node), containers }]
  })
}

/** The objects that the request is about. */
const listed = async (
  { query }: Exchange,
  { plural, namespace, name }: ResourcePath,
  { registries }: MetricsSources,
): Promise<Stored<KubeObject>[]> => {
  const registry = registries.get({ group: '', version: 'v1', plural })
  const filter = filterOf(registry.type, {
    namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector:
      name === undefined ? (query.get('fieldSelector') ?? '') : `metadata.name=${name}`,
  })
  const all = { limit: 0, continue: '', resourceVersion: '0', resourceVersionMatch: '' }
  return (await registry.list(filter, all)).items.map(({ object }) => object)
}

/** undefined: a node that nobody answers for, or that cannot tell. */
const statsOf = async (nodes: NodeConnections, name: string): Promise<NodeStats | undefined> => {
  try {
    return await nodes.find(name)?.stats?.()
  } catch {
    // Its pods are left out of the answer, which says so; those of other nodes are not.
    return undefined
  }
}

const head = (
  kind: string,
  { name, namespace, labels }: KubeObject['metadata'],
  stats: NodeStats,
): object => ({
  kind,
  apiVersion,
  metadata: {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    creationTimestamp: timestamp(stats.sampledAtMs),
    ...(labels === undefined ? {} : { labels }),
  },
  timestamp: timestamp(stats.sampledAtMs),
  window: `${Math.max(1, Math.round(stats.windowMs / 1000))}s`,
})

const usage = ({ cpuNanocores, memoryBytes }: Usage): object => ({
  cpu: `${Math.round(cpuNanocores)}n`,
  memory: `${Math.round(memoryBytes / 1024)}Ki`,
})
