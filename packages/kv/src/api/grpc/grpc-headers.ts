// What gRPC needs to know of a request's headers, and the header blocks of its answers.
import { grpcStatus } from '../../errors.ts'
import type { GrpcStatus } from '../../errors.ts'
import { encodeHeaderBlock } from './hpack/header-block.ts'
import type { HeaderField } from './hpack/static-table.ts'
import { requestFields } from './http2/request-fields.ts'

export interface GrpcHeaders {
  readonly httpMethod: string
  readonly path: string
  /** Of content type application/grpc. */
  readonly isGrpc: boolean
  /** grpc-encoding; '' when absent. */
  readonly encoding: string
  /** grpc-timeout as it came; '' when absent. */
  readonly timeout: string
  /** Metadata `client-api-version`; '' when absent. */
  readonly apiVersion: string
  /** Metadata `hasleader: true`: fail at once when this member knows no leader. */
  readonly requiresLeader: boolean
  /** Metadata `token`, else `authorization`; '' when absent. */
  readonly token: string
  /** Metadata `max-staleness-ms` of a Range; 0 when absent or no number. */
  readonly maxStalenessMs: number
}

const grpcContentType = /^application\/grpc(\+proto)?(;|$)/
const messageSizeMax = 1024
const timeoutUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
}

/** Undefined for a request that RFC 9113 (8.2, 8.3) calls malformed. */
export function parseGrpcHeaders(fields: readonly HeaderField[]): GrpcHeaders | undefined {
  const values = requestFields(fields)
  const httpMethod = values?.get(':method')
  const path = values?.get(':path')
  if (values === undefined || httpMethod === undefined || path === undefined) return undefined
  return {
    httpMethod,
    path,
    isGrpc: grpcContentType.test(values.get('content-type') ?? ''),
    encoding: values.get('grpc-encoding') ?? '',
    timeout: values.get('grpc-timeout') ?? '',
    apiVersion: values.get('client-api-version') ?? '',
    requiresLeader: values.get('hasleader') === 'true',
    token: values.get('token') ?? values.get('authorization') ?? '',
    maxStalenessMs: stalenessOf(values.get('max-staleness-ms')),
  }
}

function stalenessOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0
}

/** Milliseconds of a grpc-timeout; undefined if it is none. */
export function parseTimeoutMs(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  const unit = timeoutUnitsMs[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}

export const responseHeaders: Uint8Array = encodeHeaderBlock([
  [':status', '200'],
  ['content-type', 'application/grpc'],
])
export const okTrailers: Uint8Array = encodeHeaderBlock([['grpc-status', '0']])

/** The block of an HTTP answer to a request that is not gRPC. */
export function httpStatusHeaders(status: number): Uint8Array {
  return encodeHeaderBlock([[':status', String(status)]])
}

/** The block that ends a call; `isOnly` when no headers were sent before. */
export function errorTrailers(status: GrpcStatus, message: string, isOnly: boolean): Uint8Array {
  if (status === grpcStatus.ok && !isOnly) return okTrailers
  const fields: HeaderField[] = [
    ['grpc-status', String(status)],
    ['grpc-message', percentEncode(message)],
  ]
  if (isOnly) fields.unshift([':status', '200'], ['content-type', 'application/grpc'])
  return encodeHeaderBlock(fields)
}

/** Printable ASCII but '%' as it is, all other bytes of the UTF-8 text as %XX. */
function percentEncode(message: string): string {
  let text = ''
  for (const byte of Buffer.from(message).subarray(0, messageSizeMax)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
    text += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
