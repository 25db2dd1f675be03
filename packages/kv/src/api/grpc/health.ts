// grpc.health.v1.Health, as load balancers ask it: this server as a whole, service name ''.
import { grpcStatus } from '../../errors.ts'
import { decodeMessage, encodeMessage } from '../../proto/index.ts'
import type { Method } from '../services/index.ts'
import { GrpcError } from './grpc-error.ts'

const serving = 1
const serviceUnknown = 3

export const healthMethods: readonly Method<unknown>[] = [
  {
    kind: 'unary',
    path: '/grpc.health.v1.Health/Check',
    routes: [],
    request: 'HealthCheckRequest',
    response: 'HealthCheckResponse',
    call: (_member, body, reply) => {
      if (!isWholeServer(body)) throw new GrpcError(grpcStatus.notFound, 'unknown service')
      reply(undefined, status(serving))
    },
  },
  {
    kind: 'stream',
    path: '/grpc.health.v1.Health/Watch',
    routes: [],
    request: 'HealthCheckRequest',
    response: 'HealthCheckResponse',
    // It stays open: the status of a server that answers does not change.
    open: (_member, out) => ({
      message: (body) => void out.send(status(isWholeServer(body) ? serving : serviceUnknown)),
      halfClosed: () => undefined,
      writable: () => undefined,
      closed: () => undefined,
    }),
  },
]

function isWholeServer(body: Uint8Array): boolean {
  return decodeMessage('HealthCheckRequest', body)['service'] === ''
}

function status(value: number): Uint8Array {
  return encodeMessage('HealthCheckResponse', { status: value })
}
