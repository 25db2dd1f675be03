// What the proxy answers over HTTP: its own metrics and health, and the health of the members behind it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Counter, Gauge, Registry } from '../prometheus.ts'
import { encodeRangeRequest } from '../proto/index.ts'
import type { WireMetrics } from '../api/wire-metrics.ts'
import { registerProcessMetrics } from '../member/process-metrics.ts'
import type { ProxyService } from './proxy-methods.ts'
import type { Upstream } from './upstream.ts'

const healthTimeoutMs = 5000
const noBytes = new Uint8Array(0)
const healthRange: Uint8Array = encodeRangeRequest({
  key: Uint8Array.from(Buffer.from('a')),
  rangeEnd: noBytes,
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: true,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
})

export function createProxyEndpoints(
  upstream: Upstream,
  service: ProxyService,
  metrics: WireMetrics,
): (request: IncomingMessage, response: ServerResponse) => void {
  const registry = registryOf(service)
  const metricsText = async (): Promise<Answer> => {
    const body = (await registry.metrics()) + (await metrics.text())
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body }
  }
  const health = async (): Promise<Answer> => {
    const reason = await problemOf(upstream)
    metrics.healthChecked(reason === '')
    const body = JSON.stringify({ health: String(reason === ''), reason })
    return { status: reason === '' ? 200 : 503, type: textType, body }
  }
  const endpoints = new Map([
    ['/metrics', metricsText],
    ['/proxy/metrics', metricsText],
    ['/health', health],
    ['/proxy/health', health],
  ])
  return (request, response) => {
    response.on('error', () => response.destroy())
    const send = ({ status, type, body }: Answer): void => {
      const length = Buffer.byteLength(body)
      response.writeHead(status, { 'content-type': type, 'content-length': length }).end(body)
    }
    const endpoint = endpoints.get((request.url ?? '').split('?', 1)[0] ?? '')
    if (endpoint === undefined) send({ status: 404, type: textType, body: '404 page not found\n' })
    else {
      endpoint().then(send, (reason: unknown) =>
        send({ status: 500, type: textType, body: `${String(reason)}\n` }),
      )
    }
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}
const textType = 'text/plain; charset=utf-8'

/** '' if the members answer a read. To be asked for a name is an answer. */
function problemOf(upstream: Upstream): Promise<string> {
  return new Promise((resolve) => {
    const giveUp = upstream.unary('/etcdserverpb.KV/Range', healthRange, '', (error) => {
      clearTimeout(timer)
      const isRefusal = /user name is empty|permission denied/.test(error?.message ?? '')
      resolve(error === undefined || isRefusal ? '' : `GET ERROR:${error.message}`)
    })
    const timer = setTimeout(() => {
      giveUp()
      resolve('GET ERROR:context deadline exceeded')
    }, healthTimeoutMs)
  })
}

function registryOf(service: ProxyService): Registry {
  const registry = new Registry()
  const name = (what: string): string => `etcd_grpc_proxy_${what}_total`
  const gauge = (what: string, help: string, read: () => number): void => {
    const collect = function collect(this: Gauge): void {
      this.set(read())
    }
    registry.registerMetric(new Gauge({ name: name(what), help, registers: [], collect }))
  }
  gauge('cache_hits', 'Reads answered here.', () => service.cache.hits)
  gauge('cache_misses', 'Reads that had to be asked for.', () => service.cache.misses)
  gauge('cache_keys', 'Answers kept.', () => service.cache.count)
  const watchers = (): number => service.watches.coalescedWatchersCount
  gauge('watchers_coalescing', 'Watches that share one at the members.', watchers)
  registry.registerMetric(
    new Counter({
      name: name('events_coalescing'),
      help: 'Events that went to several watches at once.',
      registers: [],
      collect(): void {
        this.reset()
        this.inc(service.watches.coalescedEventsCount)
      },
    }),
  )
  registerProcessMetrics(registry)
  return registry
}
