// Endpoints as people write them ('host:port', 'http://host:port', several with commas) in one normal form.
import { KvError } from '../errors.ts'

/** `http://host:port` or `https://host:port`. */
export type Endpoint = string

/** Throws MALFORMED naming the one that is not an endpoint. */
export function parseEndpoints(endpoints: readonly string[] | string): readonly Endpoint[] {
  const texts = typeof endpoints === 'string' ? endpoints.split(',') : endpoints
  const parsed = texts.map((text) => parseEndpoint(text.trim()))
  if (parsed.length === 0) throw new KvError('MALFORMED', { message: 'no endpoint is given' })
  return [...new Set(parsed)]
}

export function parseEndpoint(text: string): Endpoint {
  const written = text.includes('://') ? text : `http://${text}`
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const message = `endpoint '${text}' is not host:port, http://host:port or https://host:port`
    throw new KvError('MALFORMED', { message })
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return `${url.protocol}//${url.hostname}:${port}`
}
