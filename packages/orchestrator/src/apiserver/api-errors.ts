// Makes the ApiErrors of the apiserver with upstream's codes, reasons and texts (apimachinery api/errors), and the Status object
// that carries one over the wire.
import { ApiError } from '../client/api-client.ts'
import type { FieldError, Json } from '../resources/object.ts'

/** What an error is about. */
export interface ResourceName {
  readonly group: string
  /** The plural. */
  readonly resource: string
}

interface Cause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

/** `pods`, `deployments.apps`: how upstream writes a resource in messages. */
const qualified = ({ group, resource }: ResourceName): string =>
  group === '' ? resource : `${resource}.${group}`

const details = (
  name: string | undefined,
  { group, resource }: ResourceName,
  causes?: readonly Cause[],
): Json => ({
  ...(name === undefined || name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  ...(resource === '' ? {} : { kind: resource }),
  ...(causes === undefined ? {} : { causes: causes.map((cause) => ({ ...cause })) }),
})

export const notFound = (of: ResourceName, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${qualified(of)} "${name}" not found`, details(name, of))

/** No resource is served at this path. */
export const noSuchResource = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})

export const alreadyExists = (of: ResourceName, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${qualified(of)} "${name}" already exists`, details(name, of))

export const conflict = (of: ResourceName, name: string, why: string): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`,
    details(name, of),
  )

export const modifiedConflict = (of: ResourceName, name: string): ApiError =>
  conflict(
    of,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )

export const forbidden = (
  of: ResourceName,
  name: string,
  why: string,
  causes?: readonly Cause[],
): ApiError =>
  new ApiError(
    403,
    'Forbidden',
    `${qualified(of)} "${name}" is forbidden: ${why}`,
    details(name, of, causes),
  )

/** Unlike the others, its details name the kind. */
export const invalid = (
  type: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError => {
  const lines = errors.map((error) => `${error.field}: ${error.message}`)
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  return new ApiError(
    422,
    'Invalid',
    `${type.group === '' ? type.kind : `${type.kind}.${type.group}`} "${name}" is invalid: ${text ?? ''}`,
    details(
      name,
      { group: type.group, resource: type.kind },
      errors.map(({ reason, message, field }) => ({ reason, message, field })),
    ),
  )
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message)

export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized')

export const methodNotAllowed = (): ApiError =>
  new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  )

export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

export const notAcceptable = (accepted: readonly string[]): ApiError =>
  new ApiError(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${accepted.join(', ')}`,
  )

export const requestTooLarge = (bytesMax: number): ApiError =>
  new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bytesMax}`)

/** The history asked for is gone: list again. `continueToken`: a token for an inconsistent rest of the list. */
export const expired = (message: string, continueToken?: string): ExpiredError =>
  new ExpiredError(message, continueToken)

export class ExpiredError extends ApiError {
  readonly continueToken: string | undefined

  constructor(message: string, continueToken: string | undefined) {
    super(410, 'Expired', message)
    this.continueToken = continueToken
  }
}

export const tooOldResourceVersion = (asked: number, oldest: number): ApiError =>
  expired(`too old resource version: ${asked} (${oldest})`)

export const tooLargeResourceVersion = (asked: number, current: number): ApiError =>
  new ApiError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

export const internalError = (message: string): ApiError =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ reason: '', message }],
  })

/** Normalizes anything caught. */
export const apiErrorFrom = (reason: unknown): ApiError => {
  if (reason instanceof ApiError) return reason
  if (!(reason instanceof Error)) return internalError(String(reason))
  // What the store says of a value beyond its own limit; by its code, so that an apiserver in memory need not load the store.
  return 'code' in reason && reason.code === 'REQUEST_TOO_LARGE'
    ? new ApiError(413, 'RequestEntityTooLarge', reason.message)
    : internalError(reason.message)
}

export const statusOf = (error: ApiError): { readonly [key: string]: Json } => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata:
    error instanceof ExpiredError && error.continueToken !== undefined
      ? { continue: error.continueToken }
      : {},
  status: 'Failure',
  message: error.message,
  reason: error.reason,
  ...(error.details === undefined ? {} : { details: error.details }),
  code: error.code,
})
