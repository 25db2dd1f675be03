// Tells answers of the apiserver apart by their HTTP code.
import { ApiError } from './api-client.ts'

/** Whether the server answered with one of these codes. */
export const isApiError = (reason: unknown, ...codes: readonly number[]): reason is ApiError =>
  reason instanceof ApiError && codes.includes(reason.code)

/** The object changed, exists already, or is not what a precondition says. */
export const isConflict = (reason: unknown): boolean => isApiError(reason, 409)
