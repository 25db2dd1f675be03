// Impersonate-User and its companions: a request that acts as somebody else, if its sender may. Each part is a question of its own.
import { ApiError } from '../../client/api-client.ts'
import { type Authorizer, forbiddenAccess } from './authorizer.ts'
import {
  anonymousUser,
  authenticatedGroup,
  serviceAccountGroups,
  serviceAccountPrefix,
  type User,
} from './user.ts'

/** The headers of a request, names in small letters; repeated ones are a list or are joined with `, `. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

const extraPrefix = 'impersonate-extra-'

/** `user` itself where nobody is impersonated. Throws ApiError Forbidden, or InternalError for headers that make no sense. */
export const impersonatedUser = (
  authorizer: Authorizer,
  user: User,
  headers: RequestHeaders,
): User => {
  if (!isImpersonating(headers)) return user
  const name = listOf(headers['impersonate-user'])[0] ?? ''
  const groups = listOf(headers['impersonate-group'])
  const uid = listOf(headers['impersonate-uid'])[0] ?? ''
  const extra = extraOf(headers)
  if (name === '') {
    if (groups.length === 0 && uid === '' && extra.length === 0) return user
    throw new ApiError(
      500,
      'InternalError',
      'Internal error occurred: requested impersonation without impersonating a user',
    )
  }
  const check = (resource: string, value: string, more: Partial<CheckParts> = {}): void => {
    checkPart(authorizer, user, {
      group: '',
      namespace: '',
      subresource: '',
      ...more,
      resource,
      name: value,
    })
  }
  const account = serviceAccountOf(name)
  if (account === undefined) check('users', name)
  else check('serviceaccounts', account.name, { namespace: account.namespace })
  for (const group of groups) check('groups', group)
  for (const [key, values] of extra) {
    for (const value of values) {
      check('userextras', value, { group: 'authentication.k8s.io', subresource: key })
    }
  }
  if (uid !== '') check('uids', uid, { group: 'authentication.k8s.io' })
  return {
    name,
    ...(uid === '' ? {} : { uid }),
    groups: effectiveGroups(name, account?.namespace, groups),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  }
}

/** Most requests are not: they pay for a look at the names of their headers. */
const isImpersonating = (headers: RequestHeaders): boolean => {
  for (const name in headers) if (name.startsWith('impersonate-')) return true
  return false
}

interface CheckParts {
  readonly group: string
  readonly namespace: string
  readonly subresource: string
  readonly resource: string
  readonly name: string
}

const checkPart = (authorizer: Authorizer, user: User, parts: CheckParts): void => {
  const attributes = {
    user,
    verb: 'impersonate',
    isResource: true,
    path: '',
    version: 'v1',
    ...parts,
  }
  const { allowed, reason } = authorizer.authorize(attributes)
  if (!allowed) throw forbiddenAccess(attributes, reason)
}

const serviceAccountOf = (user: string): { namespace: string; name: string } | undefined => {
  if (!user.startsWith(serviceAccountPrefix)) return undefined
  const [namespace = '', name = '', ...more] = user.slice(serviceAccountPrefix.length).split(':')
  return namespace === '' || name === '' || more.length > 0 ? undefined : { namespace, name }
}

/** Service accounts have their groups if none are named; everybody but the anonymous user is authenticated. */
const effectiveGroups = (
  name: string,
  accountNamespace: string | undefined,
  groups: readonly string[],
): string[] => {
  const all =
    groups.length === 0 && accountNamespace !== undefined
      ? serviceAccountGroups(accountNamespace)
      : [...groups]
  const own = name === anonymousUser.name ? anonymousUser.groups : [authenticatedGroup]
  return [...all, ...own.filter((group) => !all.includes(group))]
}

const extraOf = (headers: RequestHeaders): (readonly [string, string[]])[] =>
  Object.entries(headers)
    .filter(([name]) => name.startsWith(extraPrefix))
    .map(([name, value]) => [decodedKey(name.slice(extraPrefix.length)), listOf(value)] as const)

const decodedKey = (key: string): string => {
  try {
    return decodeURIComponent(key)
  } catch (reason) {
    // A key that is badly encoded is taken as it is written.
    if (reason instanceof URIError) return key
    throw reason
  }
}

const listOf = (value: string | readonly string[] | undefined): string[] => {
  if (value === undefined) return []
  const texts = typeof value === 'string' ? value.split(',') : [...value]
  return texts.map((text) => text.trim()).filter((text) => text !== '')
}
