// Metrics from the nodes' agents: what metrics.k8s.io answers, without the way around.
import type { NodeConnections } from '../apiserver/node-connections.ts'
import type { MetricsSource, PodUsage } from './metrics-source.ts'

export const nodeMetrics = (nodes: NodeConnections): MetricsSource => ({
  podUsage: async (pods) => {
    const usage = new Map<string, PodUsage>()
    const nodeOf = new Map(pods.map(({ metadata, spec }) => [metadata.uid, spec.nodeName ?? '']))
    const names = new Set(nodeOf.values())
    await Promise.all(
      [...names].map(async (name) => {
        const stats = await Promise.resolve(nodes.find(name)?.stats?.()).catch(unanswered)
        if (stats === undefined) return
        const { sampledAtMs: atMs, windowMs } = stats
        for (const { uid, containers } of stats.pods) {
          // Of pods that run elsewhere a node may say what it likes.
          const isThere = containers.length > 0 && nodeOf.get(uid) === name
          if (isThere) usage.set(uid, { atMs, windowMs, containers })
        }
      }),
    )
    return usage
  },
})

/** Pods of a node that does not answer have no metrics; those of others do. */
const unanswered = (): undefined => undefined
