// The front of the apiserver: who asks, for what path, and which handler answers. Every error leaves as a Status object.
import { ApiError } from '../../client/api-client.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { apiErrorFrom, methodNotAllowed, noSuchResource } from '../api-errors.ts'
import {
  componentStatusResource,
  handleComponentStatus,
  isComponentStatus,
} from '../component-status.ts'
import type { Aggregation } from '../aggregation/aggregation.ts'
import { proxyToApi } from '../aggregation/api-proxy.ts'
import type { RemoteApi } from '../aggregation/remote-api.ts'
import { acceptRelay, relaysPerUserMax } from '../../network/tunnel/pod-relay.ts'
import { acceptTunnel, tunnelsPerNodeMax } from '../../network/tunnel/accept-tunnel.ts'
import { Seats } from '../../network/tunnel/seats.ts'
import type { NodeConnections } from '../node-connections.ts'
import type { Registries } from '../registry/registries.ts'
import type { ConnectionIdentity } from '../access/authentication.ts'
import type { AccessControl } from '../access/access-control.ts'
import { OpenApi } from '../openapi/openapi.ts'
import { ApiMetrics, isLongRunning } from '../metrics/api-metrics.ts'
import { findMetricsResource, handleMetrics, metricsResources } from '../metrics/metrics-api.ts'
import { Discovery, type VirtualResource } from '../discovery/discovery.ts'
import { bindingResource } from '../subresources/binding.ts'
import type { Exchange } from './exchange.ts'
import { sendHealth } from './health.ts'
import { jsonType, parseAccept } from './media-types.ts'
import { sendError, sendTagged, sendValue } from './replies.ts'
import { RequestDeadlines, timeoutOf } from './request-deadlines.ts'
import type { RequestInfo } from './request-info.ts'
import type { ResourcePath } from './request-path.ts'
import type { RequestPipeline } from './request-pipeline.ts'
import { findReview, handleReview, reviews } from './review-handler.ts'
import { ResourceHandlers } from './resource-handlers.ts'
import { versionDocument } from '../discovery/version.ts'

export interface DispatcherOptions {
  readonly registries: Registries
  readonly nodes: NodeConnections
  readonly pipeline: RequestPipeline
  readonly access: AccessControl
  /** undefined: nobody else answers for anything. */
  readonly aggregation: Aggregation | undefined
  readonly metrics: Metrics
  /** `HOST:PORT` as clients reach it. */
  readonly serverAddress: () => string
  /** Told of failures that are no answer of the API: of the store, or a bug. */
  readonly onInternalError: (error: Error) => void
}

const aggregatedVersions = ['v2', 'v2beta1'] as const
/** What is served without being stored. */
export const virtualResources: readonly VirtualResource[] = [
  ...reviews,
  ...metricsResources,
  componentStatusResource,
  bindingResource,
]
const metricsType = 'text/plain; version=0.0.4; charset=utf-8'
const applyType = 'application/apply-patch'
const openPaths = new Set(['healthz', 'livez', 'readyz', 'version'])
const readMethods = new Set(['GET', 'HEAD'])

export class ApiDispatcher {
  readonly #options: DispatcherOptions
  readonly #metrics: ApiMetrics
  readonly #deadlines = new RequestDeadlines()
  readonly #tunnels = new Seats(tunnelsPerNodeMax, 'tunnels')
  readonly #relays = new Seats(relaysPerUserMax, 'connections to pods')
  #discovery: Discovery
  readonly #openApi: OpenApi
  readonly #handlers: ResourceHandlers

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { registries, aggregation, metrics } = options
    this.#metrics = new ApiMetrics(metrics, ({ group, version, resource: plural }) =>
      this.#discovery.has({ group, version, plural }),
    )
    const remotes = (): readonly RemoteApi[] => aggregation?.remotes ?? []
    this.#openApi = new OpenApi(registries, virtualResources, remotes)
    const discovery = (): Discovery =>
      new Discovery(
        registries.types,
        virtualResources,
        remotes().map(({ version }) => version),
      )
    this.#discovery = discovery()
    registries.onTypesChange(() => {
      this.#discovery = discovery()
    })
    aggregation?.onChange(() => {
      this.#discovery = discovery()
      this.#openApi.renew()
    })
    this.#handlers = new ResourceHandlers({ ...options, metrics: this.#metrics })
  }

  /** Never rejects. */
  async handle(exchange: Exchange, connection: ConnectionIdentity): Promise<void> {
    try {
      exchange.checkUrl()
      if (this.#handleOpenPath(exchange)) return
      await this.#options.pipeline.run(exchange, connection, {
        admit: (info) => this.#admit(exchange, info),
        handle: (info) => this.#dispatch(exchange, info),
      })
    } catch (reason) {
      if (!(reason instanceof ApiError)) {
        this.#options.onInternalError(reason instanceof Error ? reason : apiErrorFrom(reason))
      }
      this.#sendError(exchange, reason)
    }
  }

  async #admit(exchange: Exchange, { attributes }: RequestInfo): Promise<void> {
    if (!isLongRunning(attributes)) {
      this.#deadlines.watch(exchange)
      return exchange.receiveBody()
    }
    const received = this.#deadlines.watchBody(exchange)
    await exchange.receiveBody()
    received()
    return undefined
  }

  #sendError(exchange: Exchange, reason: unknown): void {
    if (exchange.isClosed) return
    try {
      sendError(exchange, apiErrorFrom(reason))
    } catch (second) {
      this.#options.onInternalError(second instanceof Error ? second : new Error(String(second)))
      exchange.destroy()
    }
  }

  async #dispatch(exchange: Exchange, { path, attributes }: RequestInfo): Promise<void> {
    const startedAt = performance.now()
    const ended = this.#metrics.begin({
      attributes,
      isApply: exchange.method === 'PATCH' && exchange.header('content-type').startsWith(applyType),
      isDryRun: exchange.query.has('dryRun'),
    })
    exchange.onEnd((status) => {
      ended(status, (performance.now() - startedAt) / 1000)
    })
    const { nodes } = this.#options
    const remote = this.#remoteOf(exchange, path)
    if (remote !== undefined) await proxyToApi(exchange, remote)
    else if (path !== undefined) await this.#handleResource(exchange, path)
    else if (acceptTunnel(exchange, nodes, this.#tunnels)) return
    else if (await acceptRelay(exchange, nodes, this.#relays)) return
    else if (!(await this.#handleIssuer(exchange))) await this.#handleDocument(exchange)
  }

  /** The server that answers for the version in the path, where it is another one; of its own documents too. */
  #remoteOf(exchange: Exchange, path: ResourcePath | undefined): RemoteApi | undefined {
    const { aggregation } = this.#options
    if (aggregation === undefined || !aggregation.hasRemotes) return undefined
    if (path !== undefined) return aggregation.find(path.group, path.version)
    const parts = exchange.path.split('/').filter((part) => part !== '')
    const place = parts[0] === 'openapi' && parts[1] === 'v3' ? parts.slice(2) : parts
    const [root, ...names] = place
    const [group, version, ...more] = root === 'api' ? ['', ...names] : names
    if ((root !== 'api' && root !== 'apis') || more.length > 0) return undefined
    return group === undefined || version === undefined
      ? undefined
      : aggregation.find(group, version)
  }

  /** What others need to check tokens of service accounts. */
  async #handleIssuer(exchange: Exchange): Promise<boolean> {
    const { serviceAccountTokens } = this.#options.access
    const path = exchange.path.endsWith('/') ? exchange.path.slice(0, -1) : exchange.path
    if (!readMethods.has(exchange.method)) return false
    if (path === '/.well-known/openid-configuration') {
      const url = `https://${this.#options.serverAddress()}`
      sendValue(exchange, 200, serviceAccountTokens.configuration(url))
      return true
    }
    if (path !== '/openid/v1/jwks') return false
    sendValue(exchange, 200, await serviceAccountTokens.publicKeys(), 'application/jwk-set+json')
    return true
  }

  /** Health and version: for everybody. */
  #handleOpenPath(exchange: Exchange): boolean {
    const [, first = ''] = exchange.path.split('/', 2)
    if (!openPaths.has(first)) return false
    exchange.dropBody()
    timeoutOf(exchange)
    if (first === 'version') sendValue(exchange, 200, versionDocument)
    else sendHealth(exchange, first, this.#options.registries.watchCache.isReady)
    return true
  }

  async #handleDocument(exchange: Exchange): Promise<void> {
    if (!readMethods.has(exchange.method)) throw methodNotAllowed()
    const parts = exchange.path.split('/').filter((part) => part !== '')
    const [root = '', group = '', version, ...more] = parts
    const isDiscovery = root === 'api' || root === 'apis'
    if (isDiscovery && parts.length === 1) {
      this.#sendRoot(exchange, root === 'api')
      return
    }
    let document: object | undefined
    if (root === 'api' && parts.length === 2) document = this.#discovery.resources('', group)
    else if (root === 'apis' && parts.length === 2) document = this.#discovery.group(group)
    else if (root === 'apis' && version !== undefined && more.length === 0) {
      document = this.#discovery.resources(group, version)
    } else if (await this.#openApi.handle(exchange)) return
    else if (exchange.path === '/metrics') {
      exchange.send(200, metricsType, this.#metrics.metrics.text())
      return
    }
    if (document === undefined) sendPlainNotFound(exchange)
    else sendValue(exchange, 200, document)
  }

  #sendRoot(exchange: Exchange, isCore: boolean): void {
    const aggregated = aggregatedVersionOf(exchange.header('accept'))
    if (aggregated !== undefined) {
      const type = `${jsonType};g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`
      sendTagged(exchange, type, this.#discovery.aggregated(aggregated, isCore))
    } else if (isCore) {
      sendValue(exchange, 200, this.#discovery.apiVersions(this.#options.serverAddress()))
    } else sendValue(exchange, 200, this.#discovery.groupList())
  }

  async #handleResource(exchange: Exchange, path: ResourcePath): Promise<void> {
    const { group, plural, namespace } = path
    const served = this.#options.registries.findServed(path)
    if (served !== undefined) return this.#handlers.handle({ exchange, path, ...served })
    const review = findReview(path)
    if (review !== undefined) {
      return handleReview(exchange, review, { path, sources: this.#options.access.reviews })
    }
    if (isComponentStatus(path)) {
      return handleComponentStatus(exchange, path, this.#options.registries)
    }
    const metrics = findMetricsResource(path)
    if (metrics !== undefined) return handleMetrics(exchange, metrics, { ...this.#options, path })
    const pods = this.#options.registries.findServed({ group: '', version: 'v1', plural: 'pods' })
    if (group === '' && plural === 'bindings' && namespace !== undefined && pods !== undefined) {
      return this.#handlers.bind({ exchange, path, ...pods }, '')
    }
    if (!this.#discovery.hasGroup(group)) {
      sendPlainNotFound(exchange)
      return undefined
    }
    throw noSuchResource()
  }
}

const sendPlainNotFound = (exchange: Exchange): void => {
  exchange.send(404, 'text/plain; charset=utf-8', '404 page not found\n')
}

/** The version of aggregated discovery that the client takes; undefined: it wants the plain documents. */
const aggregatedVersionOf = (accept: string): (typeof aggregatedVersions)[number] | undefined => {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== jsonType) continue
    if (parameters.get('as') !== 'APIGroupDiscoveryList') return undefined
    const version = aggregatedVersions.find((one) => one === parameters.get('v'))
    if (parameters.get('g') === 'apidiscovery.k8s.io' && version !== undefined) return version
  }
  return undefined
}
