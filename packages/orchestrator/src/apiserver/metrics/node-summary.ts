// What a kubelet answers at /stats/summary, made of an agent's sample.
import { timestamp } from '../../resources/timestamp.ts'
import type { NodeStats } from '../node-connections.ts'

export const nodeSummary = (nodeName: string, stats: NodeStats): object => {
  const time = timestamp(stats.sampledAtMs)
  const cpu = (of: { readonly cpuNanocores: number; readonly cpuNanoseconds: number }): object => ({
    time,
    usageNanoCores: Math.round(of.cpuNanocores),
    usageCoreNanoSeconds: Math.round(of.cpuNanoseconds),
  })
  const memory = (bytes: number): object => ({
    time,
    usageBytes: bytes,
    workingSetBytes: bytes,
    rssBytes: bytes,
  })
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
  return {
    node: {
      nodeName,
      startTime: timestamp(stats.startedAtMs),
      cpu: cpu(stats),
      memory: { ...memory(stats.memoryBytes), availableBytes: stats.memoryAvailableBytes },
    },
    pods: stats.pods.map(({ namespace, name, uid, startedAtMs, containers }) => {
      const startTime = timestamp(startedAtMs)
      return {
        podRef: { name, namespace, uid },
        startTime,
        containers: containers.map((container) => ({
          name: container.name,
          startTime,
          cpu: cpu(container),
          memory: memory(container.memoryBytes),
        })),
        cpu: cpu({
          cpuNanocores: sum(containers.map(({ cpuNanocores }) => cpuNanocores)),
          cpuNanoseconds: sum(containers.map(({ cpuNanoseconds }) => cpuNanoseconds)),
        }),
        memory: memory(sum(containers.map(({ memoryBytes }) => memoryBytes))),
      }
    }),
  }
}
