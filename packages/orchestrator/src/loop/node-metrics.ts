// Metrics from the nodes' agents: what metrics.k8s.io answers, without the way around.
import type { NodeConnections } from '../apiserver/node-connections.ts'
import type { MetricsSource, PodUsage } from './metrics-source.ts'

export const nodeMetrics = (nodes: NodeConnections): MetricsSource => ({
  podUsage: async (pods) => {
    const usage = new Map<string, PodUsage>()
    const names = new Set(pods.map(({ spec }) => spec.nodeName ?? ''))
    await Promise.all(
      [...names].map(async (name) => {
        const stats = await nodes.find(name)?.stats?.()
        if (stats === undefined) return
        const { sampledAtMs: atMs, windowMs } = stats
        for (const { uid, containers } of stats.pods)
          if (containers.length > 0) usage.set(uid, { atMs, windowMs, containers })
      }),
    )
    return usage
  },
})
