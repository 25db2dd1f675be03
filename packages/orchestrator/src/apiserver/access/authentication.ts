// Who a client is, by its TLS certificate: CN is the user, each O a group. And whether that user may do anything: until roles exist,
// those of system:masters may do everything and nobody else anything.
import type { TLSSocket } from 'node:tls'
import { ApiError } from '../../client/api-client.ts'
import { unauthorized } from '../api-errors.ts'
import type { User } from '../registry/request-options.ts'
import type { ResourcePath } from '../wire/request-path.ts'

const authenticated = 'system:authenticated'
const masters = 'system:masters'

/** undefined: no certificate, or one that the cluster's authority did not sign. */
export const userOfSocket = (socket: TLSSocket): User | undefined => {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  // A certificate may name several organizations; the declarations do not say so.
  const { CN, O } = (subject ?? {}) as { CN?: string | string[]; O?: string | string[] }
  const name = Array.isArray(CN) ? CN.at(-1) : CN
  if (name === undefined || name === '') return undefined
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O]
  return { name, groups: [...groups, authenticated] }
}

/** Throws ApiError Unauthorized or Forbidden. */
export const checkAccess = (
  user: User | undefined,
  verb: string,
  target: ResourcePath | string,
): User => {
  if (user === undefined) throw unauthorized()
  if (isMaster(user)) return user
  throw typeof target === 'string'
    ? new ApiError(
        403,
        'Forbidden',
        `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(target)}`,
        {},
      )
    : forbiddenResource(user, verb, target)
}

export const isMaster = (user: User): boolean => user.groups.includes(masters)

const forbiddenResource = (user: User, verb: string, target: ResourcePath): ApiError => {
  const { group, plural, subresource, namespace, name } = target
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`
  const qualified = group === '' ? resource : `${resource}.${group}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const about = name === undefined ? qualified : `${qualified} "${name}"`
  return new ApiError(
    403,
    'Forbidden',
    `${about} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    { ...(name === undefined ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural },
  )
}
