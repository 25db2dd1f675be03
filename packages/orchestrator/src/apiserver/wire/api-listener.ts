// The port of the apiserver: TLS with HTTP/2 and HTTP/1.1, and what its clients may take up of time and memory before it is known who they are.
import { type IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type ConnectionIdentity, identityOfSocket } from '../access/authentication.ts'
import type { Certificates } from '../pki/certificates.ts'
import type { ApiDispatcher } from './api-dispatcher.ts'
import { BodyBudget } from './body-budget.ts'
import { ConnectionWatch, idleConnectionMs } from './connection-watch.ts'
import { Exchange } from './exchange.ts'
import type { HttpCall } from './http-call.ts'
import { Http1Call } from './http1-call.ts'
import { headerBytesMax, serveHttp2 } from './http2-call.ts'
import { bodyTimeoutMs } from './request-deadlines.ts'
import { Strangers } from './strangers.ts'

const handshakeTimeoutMs = 10_000
/** Clients that vanish without a word are found out by probes of an idle connection. */
const keepAliveProbeMs = 30_000
/** As upstream's. */
const headersTimeoutMs = 32_000
/** How often the times of HTTP/1.1 are looked at. */
const timeoutsCheckMs = 5_000

/** Not listening yet. */
export const createApiListener = (
  certificates: Certificates,
  dispatcher: ApiDispatcher,
): Server => {
  const server = newServer(certificates)
  const respond = responder(server, dispatcher)
  const bodies = new BodyBudget()
  const shared = { bodies, connections: new ConnectionWatch() }
  // Node's server knows HTTP/1.1 alone: connections that agreed on HTTP/2 never come to it.
  const serveHttp1 = server.listeners('secureConnection')
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') serveHttp2(socket, shared, (call) => respond(call, socket))
    else for (const serve of serveHttp1) serve.call(server, socket)
  })
  const serveRequest = (
    request: IncomingMessage,
    response: ServerResponse,
    isAwaited: boolean,
  ): void => {
    request.on('error', () => undefined)
    respond(new Http1Call(request, response, { bodies, isAwaited }), tlsSocketOf(request))
  }
  server.on('request', (request, response) => serveRequest(request, response, false))
  // Whoever is refused need not send his body.
  server.on('checkContinue', (request, response) => serveRequest(request, response, true))
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // A refusal is an ordinary answer, after which the connection is of no more use.
    socket.on('error', () => socket.destroy())
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => socket.end())
    request.on('error', () => undefined)
    const call = new Http1Call(request, response, { bodies, upgrade: { socket, head } })
    respond(call, tlsSocketOf(request))
  })
  // A client that breaks off or speaks nonsense concerns nobody but itself.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  const asked = new WeakSet<object>()
  server.prependListener('request', ({ socket }: IncomingMessage) => asked.add(socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = refusals[error.code ?? ''] ?? '400 Bad Request'
    const isNonsense = error.code?.startsWith('HPE_') === true
    // In the middle of an answer it would pass for a part of it.
    if (!isNonsense || !socket.writable || asked.has(socket)) socket.destroy()
    else socket.end(refusal(status), () => socket.destroy())
  })
  return server
}

const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
}

/** In the words of Go's server. */
const refusal = (status: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`

const newServer = (certificates: Certificates): Server =>
  createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    key: certificates.server.key,
    cert: certificates.server.certificate,
    ca: certificates.ca.certificate,
    requestCert: true,
    // Who has no certificate may still ask for health and version; the dispatcher answers the rest with 401.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
    maxHeaderSize: headerBytesMax,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    // Node's five seconds would end pooled connections just as their client uses them again.
    keepAliveTimeout: idleConnectionMs,
    headersTimeout: headersTimeoutMs,
    // Who takes as long over a body has been told so already.
    requestTimeout: bodyTimeoutMs + timeoutsCheckMs,
    connectionsCheckingInterval: timeoutsCheckMs,
  })

/** Hands requests to the dispatcher, with whom their connection belongs to. */
const responder = (
  server: Server,
  dispatcher: ApiDispatcher,
): ((call: HttpCall, socket: TLSSocket | undefined) => void) => {
  const strangers = new Strangers()
  server.on('connection', (socket: Socket) => strangers.add(socket))
  const identities = new WeakMap<TLSSocket, ConnectionIdentity>()
  const identify = (socket: TLSSocket | undefined): ConnectionIdentity => {
    const known = socket === undefined ? undefined : identities.get(socket)
    if (known !== undefined) return known
    if (socket === undefined) return identityOfSocket(undefined)
    let isKnown = false
    const onKnown = (): void => {
      if (!isKnown) strangers.remove(socket)
      isKnown = true
    }
    const identity: ConnectionIdentity = { ...identityOfSocket(socket), onKnown }
    identities.set(socket, identity)
    return identity
  }
  return (call, socket) => {
    void dispatcher.handle(new Exchange(call), identify(socket))
  }
}

const tlsSocketOf = ({ socket }: IncomingMessage): TLSSocket | undefined =>
  socket instanceof TLSSocket ? socket : undefined
