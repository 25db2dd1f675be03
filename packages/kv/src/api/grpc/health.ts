// grpc.health.v1.Health, as load balancers ask it: this server as a whole, service name ''. Who watches is told when it goes, before its
// connections end, and sends nothing new there.
import { grpcStatus } from '../../errors.ts'
import { decodeMessage, encodeMessage } from '../../proto/index.ts'
import type { Method, ReplyStream } from '../services/index.ts'
import { GrpcError } from './grpc-error.ts'

const healthStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const

export class HealthService {
  readonly methods: readonly Method<unknown>[]
  /** Of those who ask for the whole server. */
  readonly #watches = new Set<ReplyStream>()
  #status: number = healthStatus.serving

  constructor() {
    this.methods = [
      {
        kind: 'unary',
        path: '/grpc.health.v1.Health/Check',
        routes: [],
        request: 'HealthCheckRequest',
        response: 'HealthCheckResponse',
        call: (_member, body, reply) => {
          if (!isWholeServer(body)) throw new GrpcError(grpcStatus.notFound, 'unknown service')
          reply(undefined, encodeStatus(this.#status))
        },
      },
      {
        kind: 'stream',
        path: '/grpc.health.v1.Health/Watch',
        routes: [],
        request: 'HealthCheckRequest',
        response: 'HealthCheckResponse',
        open: (_member, out) => ({
          message: (body) => this.#watch(out, body),
          halfClosed: () => undefined,
          writable: () => undefined,
          closed: () => void this.#watches.delete(out),
        }),
      },
    ]
  }

  /** For good. */
  shutDown(): void {
    this.#status = healthStatus.notServing
    for (const out of this.#watches) out.send(encodeStatus(this.#status))
    this.#watches.clear()
  }

  #watch(out: ReplyStream, body: Uint8Array): void {
    if (!isWholeServer(body)) {
      out.send(encodeStatus(healthStatus.serviceUnknown))
      return
    }
    this.#watches.add(out)
    out.send(encodeStatus(this.#status))
  }
}

function isWholeServer(body: Uint8Array): boolean {
  return decodeMessage('HealthCheckRequest', body)['service'] === ''
}

function encodeStatus(status: number): Uint8Array {
  return encodeMessage('HealthCheckResponse', { status })
}
