// Passes a request on to the server that answers for its group version, in the name of who sent it. What goes wrong on the way is told in
// upstream's plain words, which clients turn into ServiceUnavailable.
import { ApiError } from '../../client/api-client.ts'
import { forwardedHeaders, passOn } from '../streaming/forward-request.ts'
import type { Exchange } from '../wire/exchange.ts'
import { flag } from '../wire/query-options.ts'
import { parseResourcePath } from '../wire/request-path.ts'
import { isIdentityHeader } from './proxy-identity.ts'
import type { RemoteApi } from './remote-api.ts'

/** As upstream's limit for requests that are no watches and no streams. */
const requestTimeoutMs = 60_000
const longSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
const repeatable = new Set(['GET', 'HEAD'])

export const proxyToApi = async (
  exchange: Exchange,
  remote: RemoteApi,
  timeoutMs: number = requestTimeoutMs,
): Promise<void> => {
  if (!remote.isAvailable) {
    sendPlain(exchange, 503, 'service unavailable')
    return
  }
  try {
    await attempt(exchange, remote, timeoutMs)
  } catch (reason) {
    if (exchange.isClosed) return
    if (exchange.isStarted) {
      exchange.destroy()
      return
    }
    if (reason instanceof ProxyTimeout) throw timedOut()
    const text = reason instanceof Error ? reason.message : String(reason)
    if (reason instanceof ApiError) sendPlain(exchange, 503, 'service unavailable')
    else sendPlain(exchange, 503, `error trying to reach service: ${text}`)
  }
}

class ProxyTimeout extends Error {}

const attempt = async (
  exchange: Exchange,
  remote: RemoteApi,
  timeoutMs: number,
  isRetry = false,
): Promise<void> => {
  const { method, user, url } = exchange
  const headers = forwardedHeaders(exchange)
  for (const name of Object.keys(headers)) if (isIdentityHeader(name)) delete headers[name]
  if (exchange.remoteAddress !== '') headers['x-forwarded-for'] = exchange.remoteAddress
  headers['audit-id'] = exchange.auditId
  const asked = await remote.backend.request({ method, path: url, headers, user })
  const timer = setTimeout(() => {
    asked.destroy(new ProxyTimeout('the server did not answer in time'))
  }, timeoutMs)
  // A watch or a stream lasts as long as both sides like, once it has begun.
  if (isLong(exchange)) {
    asked.once('response', () => {
      clearTimeout(timer)
    })
    asked.once('upgrade', () => {
      clearTimeout(timer)
    })
  }
  try {
    await passOn(exchange, asked, '')
  } catch (reason) {
    // The server closed a connection that was kept at the moment when it was used again.
    const isStale = asked.reusedSocket && reason instanceof Error && 'code' in reason
    if (isRetry || !isStale || reason.code !== 'ECONNRESET') throw reason
    if (!repeatable.has(method) || exchange.isStarted) throw reason
    await attempt(exchange, remote, timeoutMs, true)
  } finally {
    clearTimeout(timer)
  }
}

const isLong = (exchange: Exchange): boolean => {
  if (exchange.isUpgrade || flag(exchange.query, 'watch')) return true
  const { subresource } = parseResourcePath(exchange.path) ?? {}
  return subresource !== undefined && longSubresources.has(subresource)
}

const sendPlain = (exchange: Exchange, status: number, text: string): void => {
  exchange.send(status, 'text/plain; charset=utf-8', `${text}\n`, {
    'x-content-type-options': 'nosniff',
  })
}

const timedOut = (): ApiError =>
  new ApiError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {})
