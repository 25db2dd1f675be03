// What stands before every plain HTTP request, as in etcd: pages of which origins may read the answers, by which host names this server
// may be asked, and one name for each path.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { posix } from 'node:path'

export interface AccessOptions {
  /** Origins of pages that may read answers; '*' for all. */
  readonly cors?: readonly string[]
  /** Host names this server may be asked by over plain HTTP; '*' for all. A page that has its name point here is kept out by it. */
  readonly hostWhitelist?: readonly string[]
}

const corsHeaders = {
  'access-control-allow-headers': 'accept, content-type, authorization',
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
} as const

export interface AccessCheck {
  /** Whether this server may be asked by the name in the request. */
  allows(request: IncomingMessage): boolean
  /** True: the request was answered. Else the headers are set that every answer carries. */
  answers(request: IncomingMessage, response: ServerResponse): boolean
}

export function createAccessCheck(options: AccessOptions = {}): AccessCheck {
  const origins = new Set(options.cors ?? ['*'])
  const hosts = new Set(options.hostWhitelist ?? ['*'])
  const allows = (request: IncomingMessage): boolean =>
    'encrypted' in request.socket || hosts.has('*') || hosts.has(hostOf(request))
  return {
    allows,
    answers: (request, response) => {
      // Go's server does not say that a connection stays open.
      const { shouldKeepAlive } = response
      if (shouldKeepAlive && request.httpVersion === '1.1') response.removeHeader('connection')
      if (!allows(request)) {
        response.writeHead(421, { 'content-type': 'text/plain; charset=utf-8' })
        response.end(refusalOf(hostOf(request)))
        return true
      }
      const origin = origins.has('*') ? '*' : originOf(request, origins)
      if (origin !== undefined) {
        for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value)
        response.setHeader('access-control-allow-origin', origin)
      }
      if (request.method !== 'OPTIONS') return redirect(request, response)
      response.writeHead(200, { 'content-length': 0 })
      response.end()
      return true
    },
  }
}

function originOf(request: IncomingMessage, origins: ReadonlySet<string>): string | undefined {
  const { origin } = request.headers
  return origin !== undefined && origins.has(origin) ? origin : undefined
}

/** Without its port. */
function hostOf(request: IncomingMessage): string {
  const host = request.headers.host ?? ''
  return host.replace(/:\d*$/, '').replace(/^\[|\]$/g, '')
}

function refusalOf(host: string): string {
  return `
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist ${JSON.stringify(host)}

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
`
}

/** A path that is written in more than one way is asked for again by its plain name. */
function redirect(request: IncomingMessage, response: ServerResponse): boolean {
  const [path = '/', ...query] = (request.url ?? '/').split('?')
  const clean = path === '/v3' ? '/v3/' : path.startsWith('/') ? posix.normalize(path) : path
  if (clean === path) return false
  const location = [clean, ...query].join('?')
  const hasBody = request.method === 'GET' || request.method === 'HEAD'
  const body = hasBody ? `<a href="${escapeHtml(location)}">Moved Permanently</a>.\n\n` : ''
  const type = hasBody ? { 'content-type': 'text/html; charset=utf-8' } : {}
  response.writeHead(301, { ...type, location, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
  return true
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
}
