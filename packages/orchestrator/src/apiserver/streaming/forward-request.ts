// Passes an HTTP request on over a connection that is opened for it, and the answer back: body, trailers of no hop, and upgrades.
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import { ApiError } from '../../client/api-client.ts'
import type { Exchange } from '../wire/exchange.ts'

export interface ForwardTarget {
  /** Rejects with ApiError. */
  dial(): Promise<Duplex>
  readonly isTls: boolean
  /** For the Host header. */
  readonly host: string
  /** The path under which the target is seen from outside. */
  readonly base: string
  /** The path that the target is asked for. */
  readonly path: string
}

/** Headers that mean one hop alone, as do those that `Connection` names. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** Those that are for the apiserver's eyes only, or that are made anew. */
const ownHeaders = new Set(['http2-settings', 'authorization', 'host', 'content-length'])

/** Whether a header is for the next hop alone. */
const hopOnly = (connection: string | string[] | undefined): ((name: string) => boolean) => {
  if (connection === undefined) return (name) => hopHeaders.has(name)
  const named = new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  )
  return (name) => hopHeaders.has(name) || named.has(name)
}

export const forwardRequest = async (exchange: Exchange, target: ForwardTarget): Promise<void> => {
  const connection = await target.dial()
  try {
    const socket = target.isTls
      ? tlsConnect({ socket: connection, rejectUnauthorized: false })
      : connection
    const query = exchange.rawQuery
    // Throws for what HTTP/2 lets through and HTTP/1.1 does not know: spaces in paths, control characters.
    const asked = httpRequest({
      createConnection: () => socket,
      method: exchange.method,
      path: query === '' ? target.path : `${target.path}?${query}`,
      headers: headersFor(exchange, target),
    })
    await passOn(exchange, asked, target.base)
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    throw new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${text}`)
  } finally {
    connection.destroy()
  }
}

/** A server may send any three digits; these can be an answer. */
const isStatus = (status: number): boolean => status >= 200 && status <= 999

/**
 * Sends `asked` with the body of the exchange, and its answer back; resolves when that is over. `base`: where the target's paths
 * are seen from outside. Rejects where no answer comes.
 */
export const passOn = async (
  exchange: Exchange,
  asked: ClientRequest,
  base: string,
): Promise<void> => {
  const stop = (): void => {
    asked.destroy()
  }
  exchange.signal.addEventListener('abort', stop)
  await new Promise<void>((resolve, reject) => {
    let isAnswered = false
    const refuse = (text: string): void => {
      asked.destroy()
      reject(new Error(text))
    }
    asked.on('error', reject)
    // Also of a CONNECT that was granted, which nobody tells otherwise.
    asked.once('close', () => {
      if (!isAnswered) reject(new Error('the connection was closed without an answer'))
    })
    asked.once('response', (answer: IncomingMessage) => {
      const { statusCode = 0 } = answer
      if (!isStatus(statusCode)) {
        refuse(`the answer has the status ${statusCode}`)
        return
      }
      isAnswered = true
      void exchange.relay(statusCode, answerHeaders(answer, base), answer)
      answer.once('close', resolve)
    })
    asked.once('upgrade', (answer: IncomingMessage, far: Duplex, head: Buffer) => {
      if (!exchange.isUpgrade) {
        far.destroy()
        refuse('the answer is in another protocol, which nobody asked for')
        return
      }
      isAnswered = true
      joinUpgraded(exchange, answer, { far, head })
      far.once('close', resolve)
    })
    asked.end(exchange.body)
  }).finally(() => {
    exchange.signal.removeEventListener('abort', stop)
  })
}

const headersFor = (exchange: Exchange, target: ForwardTarget): OutgoingHttpHeaders => {
  const headers = forwardedHeaders(exchange)
  headers['host'] = target.host
  headers['x-forwarded-uri'] = `${target.base}${target.path}`
  if (!exchange.isUpgrade) headers['connection'] = 'close'
  return headers
}

/** What the client sent, without what means one hop alone or is for the apiserver's eyes only. */
export const forwardedHeaders = (exchange: Exchange): OutgoingHttpHeaders => {
  const headers = Object.create(null) as OutgoingHttpHeaders
  const isOfHop = hopOnly(exchange.headers['connection'])
  for (const [name, value] of Object.entries(exchange.headers)) {
    const isOurs = ownHeaders.has(name) || name.startsWith(':') || name.startsWith('impersonate-')
    if (!isOurs && !isOfHop(name) && value !== undefined) headers[name] = value
  }
  if (exchange.isUpgrade) {
    headers['connection'] = 'Upgrade'
    headers['upgrade'] = exchange.header('upgrade')
  }
  if (exchange.body.length > 0) headers['content-length'] = exchange.body.length
  return headers
}

const answerHeaders = (
  answer: IncomingMessage,
  base: string,
): Record<string, string | string[]> => {
  const headers = Object.create(null) as Record<string, string | string[]>
  const isOfHop = hopOnly(answer.headers.connection)
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || isOfHop(name)) continue
    // A path of the target lies below the proxy's.
    const isPath = name === 'location' && typeof value === 'string' && value.startsWith('/')
    headers[name] = isPath ? `${base}${value}` : value
  }
  return headers
}

const joinUpgraded = (
  exchange: Exchange,
  answer: IncomingMessage,
  { far, head: farHead }: { readonly far: Duplex; readonly head: Buffer },
): void => {
  const { socket: near, head } = exchange.takeSocket()
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? 'Switching Protocols'}`]
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`)
  }
  near.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (farHead.length > 0) near.write(farHead)
  if (head.length > 0) far.write(head)
  near.pipe(far)
  far.pipe(near)
  const close = (): void => {
    near.destroy()
    far.destroy()
  }
  for (const end of [near, far]) {
    end.on('error', close)
    end.on('close', close)
  }
}
