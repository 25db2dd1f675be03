// What a path of the resource API names: /api/v1/namespaces/NS/pods/NAME/log and /apis/GROUP/VERSION/... alike.

export interface ResourcePath {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** What follows `proxy`, from its slash on and as it was sent; '' where nothing does. */
  readonly tail: string
}

/** undefined: not a path of the resource API, or one with parts that are no names. */
export const parseResourcePath = (path: string): ResourcePath | undefined => {
  const parts = path.split('/').slice(1)
  const isCore = parts[0] === 'api'
  if (!isCore && parts[0] !== 'apis') return undefined
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1)
  const isBelowNamespace =
    rest[0] === 'namespaces' && rest[2] !== undefined && !namespaceSubresources.has(rest[2])
  // A proxied path is not ours to read.
  const proxyDepth = isBelowNamespace ? 5 : 3
  const isProxied = rest[proxyDepth - 1] === 'proxy' && rest.length > proxyDepth
  const names = (isProxied ? rest.slice(0, proxyDepth) : rest).map(decodePart)
  if (group === undefined || version === undefined) return undefined
  if (names.length === 0 || names.some((name) => name === '')) return undefined
  const [, namespace, plural, ...below] = names
  const [collection, name, subresource, ...more] = isBelowNamespace ? [plural, ...below] : names
  if (collection === undefined || more.length > 0) return undefined
  return {
    group,
    version,
    plural: collection,
    namespace: isBelowNamespace ? namespace : undefined,
    name,
    subresource,
    tail: isProxied ? `/${rest.slice(proxyDepth).join('/')}` : '',
  }
}

/** Parts of a path after a namespace's name that are about the namespace itself. */
const namespaceSubresources = new Set(['status', 'finalize'])

/** '' for a part that is not a name: badly encoded, or one that would reach out of its place in the store. */
const decodePart = (part: string): string => {
  if (!part.includes('%')) return part === '.' || part === '..' ? '' : part
  try {
    const decoded = decodeURIComponent(part)
    return decoded.includes('/') || decoded === '.' || decoded === '..' ? '' : decoded
  } catch (reason) {
    if (reason instanceof URIError) return ''
    throw reason
  }
}
