// nodes/NAME/proxy: what a kubelet answers on its own port, as far as agents have it: health, the node's pods, and their use of resources.
import type { Pod } from '../../resources/pod.ts'
import { internalError, methodNotAllowed, noSuchResource } from '../api-errors.ts'
import type { NodeStats } from '../node-connections.ts'
import { filterOf } from '../registry/selection.ts'
import { nodeSummary } from '../metrics/node-summary.ts'
import { resourceMetricsText } from '../metrics/resource-metrics-text.ts'
import { sendValue } from '../wire/replies.ts'
import type { SubresourceRequest } from './subresource-table.ts'

const textType = 'text/plain; charset=utf-8'
const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

export const handleNodeProxy = async (request: SubresourceRequest): Promise<void> => {
  const { exchange, registry, path } = request
  if (exchange.method !== 'GET') throw methodNotAllowed()
  const name = request.place.name.replace(/^(?:https?:)?([^:]*).*$/, '$1')
  await registry.get({ namespace: undefined, name })
  switch (path.tail.replace(/\/$/, '')) {
    case '/healthz':
      request.nodes.get(name)
      exchange.send(200, textType, 'ok')
      return
    case '/pods':
    case '/runningpods':
      sendValue(exchange, 200, await podsOf(request, name))
      return
    case '/stats/summary':
      sendValue(exchange, 200, nodeSummary(name, await statsOf(request, name)))
      return
    case '/metrics/resource':
      exchange.send(200, metricsType, resourceMetricsText(await statsOf(request, name)))
      return
    default:
      throw noSuchResource()
  }
}

const statsOf = async ({ nodes }: SubresourceRequest, name: string): Promise<NodeStats> => {
  const stats = nodes.get(name).stats?.()
  if (stats === undefined) throw internalError(`node ${name} does not tell what it uses`)
  return stats
}

const podsOf = async ({ registries }: SubresourceRequest, name: string): Promise<object> => {
  const registry = registries.get({ group: '', version: 'v1', plural: 'pods' })
  const filter = filterOf(registry.type, {
    namespace: undefined,
    labelSelector: '',
    fieldSelector: `spec.nodeName=${name}`,
  })
  const query = { limit: 0, continue: '', resourceVersion: '0', resourceVersionMatch: '' }
  const page = await registry.list(filter, query)
  const items: Pod[] = page.items.map(({ object }) => object as Pod)
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items }
}
