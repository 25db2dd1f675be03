// From a gRPC status to KvError. Servers of etcd's family are recognized by the exact text, as etcd's own clients do.
import type { ServiceError } from '@grpc/grpc-js'
import { grpcStatus, KvError, kvErrors } from '../../errors.ts'
import type { KvErrorCode } from '../../errors.ts'
import { AttemptError } from '../wire.ts'

const codeOfText: ReadonlyMap<string, KvErrorCode> = new Map(
  Object.entries(kvErrors).map(([code, [, text]]) => [text, code as KvErrorCode]),
)
/** grpc-js says so when it never had a connection to send on. */
const neverSent = /^No connection established/

export function toAttemptError(error: ServiceError, signal: AbortSignal | undefined): AttemptError {
  const { details } = error
  const code: number = error.code
  const known = codeOfText.get(details)
  if (known !== undefined) return new AttemptError(new KvError(known, { cause: error }), true)
  if (signal?.aborted === true) return new AttemptError(new KvError('ABORTED'), true)
  if (code === grpcStatus.unavailable) {
    const isSent = !neverSent.test(details)
    const message = isSent ? kvErrors.CONNECTION_LOST[1] : `balsa: ${details}`
    return new AttemptError(new KvError('CONNECTION_LOST', { message, cause: error }), isSent)
  }
  const message = details === '' ? error.message : details
  return new AttemptError(new KvError(codeOfStatus(code, details), { message, cause: error }), true)
}

/** Whose messages say more than their text. */
const telling: readonly KvErrorCode[] = ['QUOTA_EXCEEDED', 'RATE_EXCEEDED', 'QUOTA_MALFORMED']

function codeOfStatus(code: number, details: string): KvErrorCode {
  const told = telling.find((each) => details.startsWith(`${kvErrors[each][1]}: `))
  if (told !== undefined) return told
  if (code === grpcStatus.deadlineExceeded) return 'TIMEOUT'
  if (code === grpcStatus.canceled) return 'REQUEST_CANCELED'
  if (code === grpcStatus.unimplemented) return 'UNIMPLEMENTED'
  if (code === grpcStatus.resourceExhausted && /larger than max/.test(details)) {
    return 'REQUEST_TOO_LARGE'
  }
  return 'INTERNAL'
}
