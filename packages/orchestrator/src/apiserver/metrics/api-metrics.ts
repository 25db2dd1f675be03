// What the apiserver counts of its requests, its watches and its objects, under upstream's names.
import { observeProcess } from '../../metrics/process-metrics.ts'
import type { CounterSeries, HistogramSeries, Metrics } from '../../metrics/metrics.ts'
import type { ResourceType } from '../../resources/object.ts'
import type { AccessAttributes } from '../access/authorizer.ts'
import { versionDocument } from '../discovery/version.ts'

/** Seconds. */
const durationBuckets: readonly number[] = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
]
const connections = new Set(['exec', 'attach', 'portforward', 'proxy'])
const readVerbs = new Set(['get', 'list', 'watch'])
const methodOf: Readonly<Record<string, string>> = { update: 'PUT', create: 'POST' }
const labels = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version']
/** Kinds of requests whose series are kept at hand. */
const routesMax = 5000

/** A request as the metrics see it. */
export interface MeteredRequest {
  readonly attributes: AccessAttributes
  readonly isApply: boolean
  readonly isDryRun: boolean
}

/** What is counted of one kind of request. */
interface Route {
  readonly values: readonly string[]
  readonly dryRun: string
  /** By status. */
  readonly totals: Map<number, CounterSeries>
  readonly duration: HistogramSeries
  /** Of those that last as long as their client likes; undefined: it is none of them. */
  readonly active: CounterSeries | undefined
  readonly inflight: CounterSeries | undefined
}

export class ApiMetrics {
  readonly metrics: Metrics
  readonly #routes = new Map<string, Route>()
  readonly #isServed: (attributes: AccessAttributes) => boolean

  /** Requests for what is not served are counted together. */
  constructor(metrics: Metrics, isServed: (attributes: AccessAttributes) => boolean) {
    this.metrics = metrics
    this.#isServed = isServed
    observeProcess(metrics)
    metrics.collected(
      {
        name: 'kubernetes_build_info',
        help: "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
        labels: ['build_date', 'git_version', 'major', 'minor', 'platform'],
      },
      () => {
        const { buildDate = '', gitVersion = '', major = '', minor = '' } = versionDocument
        return [[[buildDate, gitVersion, major, minor, versionDocument['platform'] ?? ''], 1]]
      },
    )
  }

  /** A request begins; the function returned tells how it ended. */
  begin(request: MeteredRequest): (status: number, seconds: number) => void {
    const route = this.#routeOf(request)
    route.active?.add()
    route.inflight?.add()
    return (status, seconds) => {
      route.active?.add(-1)
      route.inflight?.add(-1)
      this.#total(route, status).add()
      if (route.active === undefined) route.duration.observe(seconds)
    }
  }

  /** Counts the events that a watch of the kind sends. */
  watchEvents({ group, version, kind }: ResourceType): CounterSeries {
    return this.metrics
      .counter({
        name: 'apiserver_watch_events_total',
        help: '[ALPHA] Number of events sent in watch clients',
        labels: ['group', 'kind', 'version'],
      })
      .with(group, kind, version)
  }

  #routeOf({ attributes, isApply, isDryRun }: MeteredRequest): Route {
    const { group, version, resource, subresource } = attributes
    const scope = scopeOf(attributes)
    const verb = isApply ? 'APPLY' : verbOf(attributes)
    const dryRun = isDryRun ? 'All' : ''
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope} ${dryRun}`
    const known = this.#routes.get(key)
    if (known !== undefined) return known
    const isServed = !attributes.isResource || this.#isServed(attributes)
    const values = isServed
      ? ['apiserver', group, resource, scope, subresource, verb, version]
      : ['apiserver', '', '', '', '', verb, '']
    const route = this.#newRoute(values, dryRun, attributes.verb)
    if (isServed && this.#routes.size < routesMax) this.#routes.set(key, route)
    return route
  }

  #newRoute(values: readonly string[], dryRun: string, verb: string): Route {
    const { metrics } = this
    const subresource = values[4] ?? ''
    const isLong = isLongRunning({ verb, subresource })
    const duration = metrics.histogram({
      name: 'apiserver_request_duration_seconds',
      help: '[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      labels: [...labels, 'dry_run'],
      buckets: durationBuckets,
    })
    const longRunning = metrics.gauge({
      name: 'apiserver_longrunning_requests',
      help: '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
      labels,
    })
    const inflight = metrics.gauge({
      name: 'apiserver_current_inflight_requests',
      help: '[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
      labels: ['request_kind'],
    })
    const kind = readVerbs.has(verb) ? 'readOnly' : 'mutating'
    return {
      values,
      dryRun,
      totals: new Map(),
      duration: duration.with(...values, dryRun),
      active: isLong ? longRunning.with(...values) : undefined,
      inflight: isLong ? undefined : inflight.with(kind),
    }
  }

  #total({ totals, values, dryRun }: Route, status: number): CounterSeries {
    let series = totals.get(status)
    if (series === undefined) {
      series = this.metrics
        .counter({
          name: 'apiserver_request_total',
          help: '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
          labels: [...labels, 'dry_run', 'code'],
        })
        .with(...values, dryRun, String(status))
      totals.set(status, series)
    }
    return series
  }
}

/** Whether a request lasts as long as its client likes. */
export const isLongRunning = ({
  verb,
  subresource,
}: Pick<AccessAttributes, 'verb' | 'subresource'>): boolean =>
  verb === 'watch' || subresource === 'log' || connections.has(subresource)

const verbOf = ({ verb, subresource }: AccessAttributes): string =>
  connections.has(subresource) ? 'CONNECT' : (methodOf[verb] ?? verb.toUpperCase())

const scopeOf = ({ isResource, name, namespace, verb }: AccessAttributes): string => {
  if (!isResource) return ''
  if (name !== '' || verb === 'create') return 'resource'
  return namespace === '' ? 'cluster' : 'namespace'
}
