// What a path of the resource API names: /api/v1/namespaces/NS/pods/NAME/log and /apis/GROUP/VERSION/... alike.

export interface ResourcePath {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** undefined: not a path of the resource API, or one with parts that are no names. */
export const parseResourcePath = (path: string): ResourcePath | undefined => {
  const parts = path.split('/').slice(1)
  const isCore = parts[0] === 'api'
  if (!isCore && parts[0] !== 'apis') return undefined
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1)
  const names = rest.map(decodePart)
  if (group === undefined || version === undefined) return undefined
  if (names.length === 0 || names.some((name) => name === '')) return undefined
  const [first, namespace, plural, ...below] = names
  const isNamespaced =
    first === 'namespaces' && plural !== undefined && !namespaceSubresources.has(plural)
  const [collection, name, subresource, ...more] = isNamespaced ? [plural, ...below] : names
  if (collection === undefined || more.length > 0) return undefined
  return {
    group,
    version,
    plural: collection,
    namespace: isNamespaced ? namespace : undefined,
    name,
    subresource,
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
