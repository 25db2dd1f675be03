// Tells answers of the apiserver apart by their HTTP code.
import type { Json } from '../resources/object.ts'
import { ApiError } from './api-client.ts'

/** Whether the server answered with one of these codes. */
export const isApiError = (reason: unknown, ...codes: readonly number[]): reason is ApiError =>
  reason instanceof ApiError && codes.includes(reason.code)

/** The object changed, exists already, or is not what a precondition says. */
export const isConflict = (reason: unknown): boolean => isApiError(reason, 409)

/** Nothing new is taken in a namespace that is being emptied: for what runs in it that is the ordinary end. */
export const isNamespaceEnding = (reason: unknown): boolean => {
  if (!isApiError(reason, 403)) return false
  const { details } = reason
  if (typeof details !== 'object' || details === null || !('causes' in details)) return false
  const { causes } = details
  return (
    Array.isArray(causes) &&
    causes.some((cause: Json) => isCause(cause) && cause.reason === 'NamespaceTerminating')
  )
}

const isCause = (cause: Json): cause is { readonly reason: Json } =>
  typeof cause === 'object' && cause !== null && 'reason' in cause
