// What a request is about, from its method, path and query: the resource path and the attributes that access is decided by.
import type { AccessAttributes } from '../access/authorizer.ts'
import type { User } from '../access/user.ts'
import type { Exchange } from './exchange.ts'
import { flag } from './query-options.ts'
import { parseResourcePath, type ResourcePath } from './request-path.ts'

export interface RequestInfo {
  /** undefined: not a path of the resource API. */
  readonly path: ResourcePath | undefined
  readonly attributes: AccessAttributes
}

export const requestInfo = (exchange: Exchange, user: User): RequestInfo => {
  const path = parseResourcePath(exchange.path)
  return {
    path,
    attributes:
      path === undefined ? documentAttributes(exchange, user) : attributes(exchange, path, user),
  }
}

const documentAttributes = ({ method, path }: Exchange, user: User): AccessAttributes => ({
  user,
  verb: method.toLowerCase(),
  isResource: false,
  path,
  group: '',
  version: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
})

const attributes = (exchange: Exchange, path: ResourcePath, user: User): AccessAttributes => {
  const { group, version, plural } = path
  const verb = verbOf(exchange, path)
  const name = path.name ?? (selecting.has(verb) ? selectedName(exchange) : '')
  // A namespace is in itself: who has rights there may see it.
  const isNamespace = group === '' && plural === 'namespaces' && path.name !== undefined
  return {
    user,
    verb,
    isResource: true,
    path: exchange.path,
    group,
    version,
    resource: plural,
    subresource: path.subresource ?? '',
    namespace: isNamespace ? name : (path.namespace ?? ''),
    name,
  }
}

const verbOf = ({ method, query }: Exchange, { name }: ResourcePath): string => {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (flag(query, 'watch')) return 'watch'
      return name === undefined ? 'list' : 'get'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete'
    default:
      return method.toLowerCase()
  }
}

const selecting = new Set(['list', 'watch', 'deletecollection'])

/** Whoever selects one name asks for that object alone. */
const selectedName = ({ query }: Exchange): string => {
  const selector = query.get('fieldSelector') ?? ''
  if (!selector.includes('metadata.name')) return ''
  for (const part of selector.split(',')) {
    const match = /^metadata\.name==?([^=]*)$/.exec(part)
    if (match !== null) return match[1] ?? ''
  }
  return ''
}
