// Endpoints as people write them ('host:port', 'http://host:port', several with commas) in one normal form.
import { KvError } from '../errors.ts'

/** `http://host:port` or `https://host:port`. */
export type Endpoint = string

/** PEM texts. */
export interface ClientTls {
  /** Whom to trust; those of the system if left out. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** False: whoever answers is trusted. For tests only. */
  readonly rejectUnauthorized?: boolean
}

/** Throws MALFORMED naming the one that is not an endpoint. `isTls`: those without a scheme are https. */
export function parseEndpoints(
  endpoints: readonly string[] | string,
  isTls: boolean,
): readonly Endpoint[] {
  const texts = typeof endpoints === 'string' ? endpoints.split(',') : endpoints
  const parsed = texts.map((text) => parseEndpoint(text.trim(), isTls))
  if (parsed.length === 0) throw new KvError('MALFORMED', { message: 'no endpoint is given' })
  return [...new Set(parsed)]
}

export function parseEndpoint(text: string, isTls: boolean): Endpoint {
  const written = text.includes('://') ? text : `http${isTls ? 's' : ''}://${text}`
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const message = `endpoint '${text}' is not host:port, http://host:port or https://host:port`
    throw new KvError('MALFORMED', { message })
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return `${url.protocol}//${url.hostname}:${port}`
}
