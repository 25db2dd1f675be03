// Takes a connection over from HTTP: to SPDY/3.1, or to a WebSocket. Which protocol of those that the client offers is spoken on top is
// decided here too; a request that asks for neither is refused in upstream's words.
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws'
import { badRequest } from '../api-errors.ts'
import type { Exchange } from '../wire/exchange.ts'

/** Of one message; clients send at most 64 KiB in one. */
const messageBytesMax = 4 * 1024 * 1024

export type UpgradeKind = 'spdy' | 'webSocket'

/** Throws ApiError BadRequest for a request that asks for no upgrade we know. */
export const upgradeKind = (exchange: Exchange): UpgradeKind => {
  const asked = exchange.header('upgrade').toLowerCase()
  if (exchange.isUpgrade && asked === 'spdy/3.1') return 'spdy'
  if (exchange.isUpgrade && asked === 'websocket') return 'webSocket'
  throw badRequest('Upgrade request required')
}

const offered = (header: string): string[] =>
  header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** The first of `known` that the header offers; `known` is in our order of preference. */
const choose = (header: string, known: readonly string[]): string | undefined => {
  const names = new Set(offered(header))
  return known.find((name) => names.has(name))
}

/** Answers 101 and returns the connection with the protocol chosen; '' when the client offers none. */
export const upgradeToSpdy = (
  exchange: Exchange,
  known: readonly string[],
): { readonly transport: Duplex; readonly protocol: string } => {
  const header = exchange.header('x-stream-protocol-version')
  const protocol = choose(header, known)
  if (protocol === undefined && offered(header).length > 0) throw unknownProtocol(header, known)
  const { socket, head } = exchange.takeSocket()
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1']
  if (protocol !== undefined) lines.push(`X-Stream-Protocol-Version: ${protocol}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  return { transport: socket, protocol: protocol ?? '' }
}

/** Resolves to the open WebSocket with the protocol chosen; '' when the client offers none. */
export const upgradeToWebSocket = async (
  exchange: Exchange,
  known: readonly string[],
): Promise<{ readonly socket: WebSocket; readonly protocol: string }> => {
  const header = exchange.header('sec-websocket-protocol')
  const protocol = choose(header, known)
  if (protocol === undefined && offered(header).length > 0) throw unknownProtocol(header, known)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
  })
  const { request, socket, head } = exchange.takeSocket()
  // The library takes no name with a slash, which `SPDY/3.1+portforward.k8s.io` has: it does not see the names, and we answer them.
  delete request.headers['sec-websocket-protocol']
  server.on('headers', (lines) => {
    if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  })
  return new Promise((resolve, reject) => {
    // A handshake that is none.
    server.once('wsClientError', (error: Error) => {
      socket.destroy()
      reject(badRequest(error.message))
    })
    server.handleUpgrade(request, socket, head, (open) => {
      resolve({ socket: open, protocol: protocol ?? '' })
    })
  })
}

/** The bytes of all messages as one stream, and what is written as messages. */
export const byteStream = (socket: WebSocket): Duplex => createWebSocketStream(socket)

const unknownProtocol = (header: string, known: readonly string[]): Error =>
  badRequest(
    `unable to upgrade: unable to negotiate protocol: client supports [${offered(header).join(' ')}], server accepts [${known.join(' ')}]`,
  )
