// Peer URLs as etcd takes them in requests. Pure.
import { KvError } from '../errors.ts'

/** Sorted, as etcd keeps them. Throws MEMBER_BAD_URLS for what is no scheme, host and port, and for none at all. */
export function checkPeerUrls(given: readonly string[]): string[] {
  const urls = given.map((url) => url.trim())
  if (urls.length === 0 || !urls.every(isPeerUrl)) throw new KvError('MEMBER_BAD_URLS')
  return urls.sort()
}

function isPeerUrl(url: string): boolean {
  return /^https?:\/\/[^/?#@\s]+:\d+$/.test(url) && URL.canParse(url)
}

/** Whether both are the same URLs, in any order. */
export function isSameUrls(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().join(',') === [...b].sort().join(',')
}
