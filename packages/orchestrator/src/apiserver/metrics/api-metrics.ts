// What the apiserver counts of its requests, as text for Prometheus and under upstream's names.
import type { AccessAttributes } from '../access/authorizer.ts'

interface Series {
  readonly labels: string
  count: number
  sum: number
  readonly buckets: number[]
}

/** Seconds. */
const durationBuckets: readonly number[] = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
]
/** Label sets kept; what comes after that is counted together. */
const seriesMax = 5000
const longRunningSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const readVerbs = new Set(['get', 'list', 'watch'])

export class ApiMetrics {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Series>()
  readonly #longRunning = new Map<string, number>()
  readonly #inflight = { mutating: 0, readOnly: 0 }

  /** A request begins; the function returned tells how it ended. */
  begin(attributes: AccessAttributes): (status: number, seconds: number) => void {
    const { group, version, resource, subresource, verb } = attributes
    const name = verb === 'update' ? 'PUT' : verb === 'create' ? 'POST' : verb.toUpperCase()
    const labels = [
      `group="${group}"`,
      `resource="${resource}"`,
      `scope="${scopeOf(attributes)}"`,
      `subresource="${subresource}"`,
      `verb="${name}"`,
      `version="${version}"`,
    ].join(',')
    const isLong = verb === 'watch' || longRunningSubresources.has(subresource)
    if (isLong) add(this.#longRunning, labels, 1)
    const kind = readVerbs.has(verb) ? 'readOnly' : 'mutating'
    this.#inflight[kind]++
    return (status, seconds) => {
      this.#inflight[kind]--
      add(this.#requests, `code="${status}",${labels}`, 1)
      if (isLong) add(this.#longRunning, labels, -1)
      else this.#observe(labels, seconds)
    }
  }

  text(): string {
    const lines: string[] = []
    const family = (name: string, type: string, help: string): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    }
    const values = (name: string, all: ReadonlyMap<string, number>): void => {
      for (const [labels, value] of all) lines.push(`${name}{${labels}} ${value}`)
    }
    family('apiserver_request_total', 'counter', '[STABLE] Counter of apiserver requests.')
    values('apiserver_request_total', this.#requests)
    family(
      'apiserver_longrunning_requests',
      'gauge',
      '[STABLE] Gauge of all active long-running apiserver requests.',
    )
    values('apiserver_longrunning_requests', this.#longRunning)
    family(
      'apiserver_current_inflight_requests',
      'gauge',
      '[STABLE] Number of currently used inflight requests by kind.',
    )
    for (const [kind, value] of Object.entries(this.#inflight)) {
      lines.push(`apiserver_current_inflight_requests{request_kind="${kind}"} ${value}`)
    }
    const duration = 'apiserver_request_duration_seconds'
    family(duration, 'histogram', '[STABLE] Response latency distribution in seconds.')
    for (const { labels, count, sum, buckets } of this.#durations.values()) {
      for (const [index, bound] of durationBuckets.entries()) {
        lines.push(`${duration}_bucket{${labels},le="${bound}"} ${buckets[index] ?? 0}`)
      }
      lines.push(`${duration}_bucket{${labels},le="+Inf"} ${count}`)
      lines.push(`${duration}_sum{${labels}} ${sum}`, `${duration}_count{${labels}} ${count}`)
    }
    return `${[...lines, ...processLines()].join('\n')}\n`
  }

  #observe(labels: string, seconds: number): void {
    const key = this.#durations.has(labels) || this.#durations.size < seriesMax ? labels : ''
    let series = this.#durations.get(key)
    if (series === undefined) {
      series = { labels: key, count: 0, sum: 0, buckets: durationBuckets.map(() => 0) }
      this.#durations.set(key, series)
    }
    series.count++
    series.sum += seconds
    for (const [index, bound] of durationBuckets.entries()) {
      if (seconds <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1
    }
  }
}

const scopeOf = ({ isResource, name, namespace }: AccessAttributes): string => {
  if (!isResource) return ''
  if (name !== '') return 'resource'
  return namespace === '' ? 'cluster' : 'namespace'
}

const add = (all: Map<string, number>, labels: string, amount: number): void => {
  const key = all.has(labels) || all.size < seriesMax ? labels : ''
  all.set(key, (all.get(key) ?? 0) + amount)
}

const processLines = (): string[] => {
  const { user, system } = process.cpuUsage()
  const lines: [string, string, string, number][] = [
    [
      'process_cpu_seconds_total',
      'counter',
      'Total user and system CPU time spent in seconds.',
      (user + system) / 1e6,
    ],
    [
      'process_resident_memory_bytes',
      'gauge',
      'Resident memory size in bytes.',
      process.memoryUsage.rss(),
    ],
    [
      'process_start_time_seconds',
      'gauge',
      'Start time of the process since unix epoch in seconds.',
      Math.round(performance.timeOrigin / 1000),
    ],
  ]
  return lines.flatMap(([name, type, help, value]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    `${name} ${value}`,
  ])
}
