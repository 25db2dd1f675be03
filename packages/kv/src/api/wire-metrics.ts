// What the wires count, under the metric names of etcd and of Go's gRPC: calls, messages, bytes, health checks. Counting is a few
// additions a call; text is made when it is asked for.
import { Counter, Registry } from '../prometheus.ts'
import { grpcStatus } from '../errors.ts'
import type { GrpcStatus } from '../errors.ts'
import type { Method } from './services/index.ts'

/** As Go names them. */
const codeNames: Readonly<Record<GrpcStatus, string>> = {
  [grpcStatus.ok]: 'OK',
  [grpcStatus.canceled]: 'Canceled',
  [grpcStatus.unknown]: 'Unknown',
  [grpcStatus.invalidArgument]: 'InvalidArgument',
  [grpcStatus.deadlineExceeded]: 'DeadlineExceeded',
  [grpcStatus.notFound]: 'NotFound',
  [grpcStatus.alreadyExists]: 'AlreadyExists',
  [grpcStatus.permissionDenied]: 'PermissionDenied',
  [grpcStatus.resourceExhausted]: 'ResourceExhausted',
  [grpcStatus.failedPrecondition]: 'FailedPrecondition',
  [grpcStatus.aborted]: 'Aborted',
  [grpcStatus.outOfRange]: 'OutOfRange',
  [grpcStatus.unimplemented]: 'Unimplemented',
  [grpcStatus.internal]: 'Internal',
  [grpcStatus.unavailable]: 'Unavailable',
  [grpcStatus.dataLoss]: 'DataLoss',
  [grpcStatus.unauthenticated]: 'Unauthenticated',
}
const serverStreaming = new Set([
  '/etcdserverpb.KV/RangeStream',
  '/etcdserverpb.Maintenance/Snapshot',
  '/v3electionpb.Election/Observe',
  '/grpc.health.v1.Health/Watch',
])
/** Versions clients name are counted one by one up to this many; all others together. */
const apiVersionsMax = 20

type CountedMethod = Pick<Method, 'kind' | 'path'>

/** The calls of one method. */
export class CallCounts {
  readonly labels: Readonly<Record<'grpc_type' | 'grpc_service' | 'grpc_method', string>>
  readonly #totals: { receivedBytes: number; sentBytes: number }
  readonly handled: Map<GrpcStatus, number> = new Map()
  startedCount = 0
  receivedCount = 0
  sentCount = 0

  constructor(method: CountedMethod, totals: { receivedBytes: number; sentBytes: number }) {
    const [, service = '', name = ''] = method.path.split('/')
    const type = serverStreaming.has(method.path) ? 'server_stream' : 'bidi_stream'
    this.labels = {
      grpc_type: method.kind === 'unary' ? 'unary' : type,
      grpc_service: service,
      grpc_method: name,
    }
    this.#totals = totals
  }

  started(): void {
    this.startedCount++
  }

  received(sizeBytes: number): void {
    this.receivedCount++
    this.#totals.receivedBytes += sizeBytes
  }

  sent(sizeBytes: number): void {
    this.sentCount++
    this.#totals.sentBytes += sizeBytes
  }

  ended(status: GrpcStatus): void {
    this.handled.set(status, (this.handled.get(status) ?? 0) + 1)
  }
}

export class WireMetrics {
  readonly #registry = new Registry()
  readonly #counts = new Map<string, CallCounts>()
  readonly #totals = { receivedBytes: 0, sentBytes: 0 }
  /** Calls by kind and by the version their client names. */
  readonly #requests = { unary: new Map<string, number>(), stream: new Map<string, number>() }
  readonly #health = { healthy: 0, unhealthy: 0 }

  constructor() {
    this.#registerCalls()
    this.#registerRequests()
    const network = (what: 'received' | 'sent', value: () => number): void =>
      this.#plain(`etcd_network_client_grpc_${what}_bytes_total`, `Bytes ${what}.`, value)
    const bytes = this.#totals
    network('received', () => bytes.receivedBytes)
    network('sent', () => bytes.sentBytes)
    const health = this.#health
    this.#plain('etcd_server_health_success', 'Health checks passed.', () => health.healthy)
    this.#plain('etcd_server_health_failures', 'Health checks failed.', () => health.unhealthy)
  }

  /** The same for every wire that serves the method. */
  countsOf(method: CountedMethod): CallCounts {
    let counts = this.#counts.get(method.path)
    if (counts === undefined) {
      counts = new CallCounts(method, this.#totals)
      this.#counts.set(method.path, counts)
    }
    return counts
  }

  /** `apiVersion`: as the client says; '' if it does not. */
  request(kind: Method['kind'], apiVersion: string): void {
    const counts = this.#requests[kind]
    const isKnown = counts.has(apiVersion) || counts.size < apiVersionsMax
    const version = apiVersion !== '' && isKnown ? apiVersion : 'unknown'
    counts.set(version, (counts.get(version) ?? 0) + 1)
  }

  healthChecked(isHealthy: boolean): void {
    if (isHealthy) this.#health.healthy++
    else this.#health.unhealthy++
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #registerCalls(): void {
    const labelNames = ['grpc_type', 'grpc_service', 'grpc_method'] as const
    const register = (what: string, help: string, value: (counts: CallCounts) => number): void => {
      const counts = this.#counts
      this.#registry.registerMetric(
        new Counter({
          name: `grpc_server_${what}_total`,
          help,
          labelNames,
          registers: [],
          collect(): void {
            this.reset()
            for (const each of counts.values()) this.inc(each.labels, value(each))
          },
        }),
      )
    }
    register('started', 'Calls that began.', (counts) => counts.startedCount)
    register('msg_received', 'Messages received.', (counts) => counts.receivedCount)
    register('msg_sent', 'Messages sent.', (counts) => counts.sentCount)
    const counts = this.#counts
    this.#registry.registerMetric(
      new Counter({
        name: 'grpc_server_handled_total',
        help: 'Calls that ended, by their status.',
        labelNames: [...labelNames, 'grpc_code'] as const,
        registers: [],
        collect(): void {
          this.reset()
          for (const { labels, handled } of counts.values()) {
            for (const [status, count] of handled) {
              this.inc({ ...labels, grpc_code: codeNames[status] }, count)
            }
          }
        },
      }),
    )
  }

  #registerRequests(): void {
    const requests = this.#requests
    this.#registry.registerMetric(
      new Counter({
        name: 'etcd_server_client_requests_total',
        help: 'Calls by the API version of the client.',
        labelNames: ['type', 'client_api_version'] as const,
        registers: [],
        collect(): void {
          this.reset()
          for (const type of ['unary', 'stream'] as const) {
            for (const [version, count] of requests[type]) {
              this.inc({ type, client_api_version: version }, count)
            }
          }
        },
      }),
    )
  }

  #plain(name: string, help: string, value: () => number): void {
    this.#registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect(): void {
          this.reset()
          this.inc(value())
        },
      }),
    )
  }
}
