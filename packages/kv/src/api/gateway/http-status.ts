// What HTTP status grpc-gateway of etcd 3.4 makes of a gRPC status.
import { grpcStatus } from '../../errors.ts'
import type { GrpcStatus } from '../../errors.ts'

const statuses: Readonly<Partial<Record<GrpcStatus, number>>> = {
  [grpcStatus.ok]: 200,
  [grpcStatus.canceled]: 408,
  [grpcStatus.invalidArgument]: 400,
  [grpcStatus.deadlineExceeded]: 504,
  [grpcStatus.notFound]: 404,
  [grpcStatus.alreadyExists]: 409,
  [grpcStatus.permissionDenied]: 403,
  [grpcStatus.resourceExhausted]: 429,
  [grpcStatus.failedPrecondition]: 412,
  [grpcStatus.aborted]: 409,
  [grpcStatus.outOfRange]: 400,
  [grpcStatus.unimplemented]: 501,
  [grpcStatus.unavailable]: 503,
  [grpcStatus.unauthenticated]: 401,
}

export function httpStatusOf(status: GrpcStatus): number {
  return statuses[status] ?? 500
}

/** As Go names them. */
export const httpStatusTexts: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}
