// Who may do what: the question, the port that answers it, and the 403 for those who may not.
import { ApiError } from '../../client/api-client.ts'
import type { User } from './user.ts'

/** What a request wants to do. Names that are not there are ''. */
export interface AccessAttributes {
  readonly user: User
  /** get, list, watch, create, update, patch, delete, deletecollection; of other paths the HTTP method in small letters. */
  readonly verb: string
  /** false: `path` is what counts, the fields after it are ''. */
  readonly isResource: boolean
  readonly path: string
  readonly group: string
  readonly version: string
  /** The plural. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

export interface AccessDecision {
  readonly allowed: boolean
  /** Why; '' where there is nothing to say. */
  readonly reason: string
}

/** Answers from memory, at once. */
export interface Authorizer {
  authorize(attributes: AccessAttributes): AccessDecision
}

/** Throws ApiError Forbidden. */
export const checkAccess = (authorizer: Authorizer, attributes: AccessAttributes): void => {
  const { allowed, reason } = authorizer.authorize(attributes)
  if (!allowed) throw forbiddenAccess(attributes, reason)
}

export const forbiddenAccess = (attributes: AccessAttributes, reason: string): ApiError => {
  const { user, verb, isResource, path, group, name } = attributes
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  const why = reason === '' ? '' : `: ${reason}`
  if (!isResource) {
    return new ApiError(403, 'Forbidden', `forbidden: ${who} path "${path}"${why}`, {})
  }
  const { subresource, namespace } = attributes
  const plural = attributes.resource
  const resource = subresource === '' ? plural : `${plural}/${subresource}`
  const qualified = group === '' ? plural : `${plural}.${group}`
  const about = name === '' ? qualified : `${qualified} "${name}"`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return new ApiError(
    403,
    'Forbidden',
    `${about} is forbidden: ${who} resource "${resource}" in API group "${group}" ${where}${why}`,
    { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural },
  )
}
