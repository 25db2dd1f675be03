// What a kubelet answers at /metrics/resource, made of an agent's sample: cpu and memory of the node, its pods and containers.
import type { NodeStats } from '../node-connections.ts'

const nanosecondsPerSecond = 1e9

export const resourceMetricsText = (stats: NodeStats): string => {
  const at = stats.sampledAtMs
  const lines: string[] = []
  const family = (name: string, type: 'counter' | 'gauge', help: string): void => {
    lines.push(`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`)
  }
  const containers = stats.pods.flatMap(({ namespace, name, containers: all }) =>
    all.map((one) => ({
      ...one,
      labels: `{container="${one.name}",namespace="${namespace}",pod="${name}"}`,
    })),
  )
  family(
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the container in core-seconds',
  )
  for (const { labels, cpuNanoseconds } of containers) {
    const seconds = cpuNanoseconds / nanosecondsPerSecond
    lines.push(`container_cpu_usage_seconds_total${labels} ${seconds} ${at}`)
  }
  family(
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set of the container in bytes',
  )
  for (const { labels, memoryBytes } of containers) {
    lines.push(`container_memory_working_set_bytes${labels} ${memoryBytes} ${at}`)
  }
  family(
    'node_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the node in core-seconds',
  )
  lines.push(`node_cpu_usage_seconds_total ${stats.cpuNanoseconds / nanosecondsPerSecond} ${at}`)
  family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes')
  lines.push(`node_memory_working_set_bytes ${stats.memoryBytes} ${at}`)
  return `${lines.join('\n')}\n`
}
