// The client port: every connection is told apart by its first bytes. The HTTP/2 preface goes to gRPC, all else to an HTTP/1.1 server
// with the gateway, the health endpoints and the native protocol's upgrade. TLS will sit in front of both.
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { MemberApi } from '../member/types.ts'
import { createGateway } from './gateway/gateway.ts'
import type { Gateway } from './gateway/gateway.ts'
import { createGrpcServer } from './grpc/grpc-server.ts'
import type { GrpcServer } from './grpc/grpc-server.ts'
import { healthMethods } from './grpc/health.ts'
import { createAccessCheck } from './http/access.ts'
import type { AccessCheck, AccessOptions } from './http/access.ts'
import { createHttpEndpoints } from './http/http-endpoints.ts'
import { ListenError } from './listen-error.ts'
import { createNativeServer } from './native/native-server.ts'
import { methods } from './services/index.ts'

/** Per URL; those past it are closed at once. */
export const connectionsMax = 10_000
const sniffTimeoutMs = 10_000
/** What close() gives calls that are under way. */
const closeGraceMs = 2000
const closePollMs = 10
const httpLimits = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
} as const
/** A peer that is gone without a word is noticed, so that its watches end. */
const socketOptions = {
  noDelay: true,
  allowHalfOpen: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
} as const
/** Enough of the HTTP/2 preface to tell it from any HTTP/1.1 request. */
const prefaceStart = Buffer.from('PRI * HTTP/2.0')

/** The native protocol: takes over an HTTP/1.1 connection that asks for it. */
export interface UpgradeServer {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

export interface ClientListener {
  /** Where clients reach it: with the real ports. */
  readonly urls: readonly string[]
  /** Stops accepting, lets calls finish for a moment, then closes every connection. */
  close(): Promise<void>
}

export interface ClientListenerOptions {
  readonly member: MemberApi
  /** http://host:port; port 0 takes a free one. */
  readonly urls: readonly string[]
  /** Gets the upgrade requests for /native; our native protocol if left out. */
  readonly native?: UpgradeServer
  /** Who may ask over HTTP; everybody if left out. */
  readonly access?: AccessOptions
  /** Per URL. */
  readonly connectionsMax?: number
  /** What close() gives calls that are under way. */
  readonly closeGraceMs?: number
}

/** Rejects with ListenError if one of the URLs cannot be had; then none is left open. */
export async function listenClients(options: ClientListenerOptions): Promise<ClientListener> {
  const ports = new ClientPorts(options)
  try {
    for (const url of options.urls) await ports.listen(url)
  } catch (reason) {
    await ports.close()
    throw reason
  }
  return ports
}

class ClientPorts implements ClientListener {
  readonly urls: string[] = []
  readonly #grpc: GrpcServer
  readonly #http: HttpServer
  readonly #native: UpgradeServer
  readonly #connectionsMax: number
  readonly #closeGraceMs: number
  readonly #servers: Server[] = []
  readonly #gateway: Gateway
  readonly #access: AccessCheck
  /** Connections that are not gRPC's. */
  readonly #sockets = new Set<Socket>()
  #closing: Promise<void> | undefined

  constructor(options: ClientListenerOptions) {
    const { member, native = createNativeServer(member) } = options
    this.#connectionsMax = options.connectionsMax ?? connectionsMax
    this.#closeGraceMs = options.closeGraceMs ?? closeGraceMs
    this.#grpc = createGrpcServer({ member, methods: [...methods, ...healthMethods] })
    this.#native = native
    this.#gateway = createGateway(member, methods)
    this.#access = createAccessCheck(options.access)
    const serveEndpoint = createHttpEndpoints(member)
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      // A client that goes away in the middle is no error of ours.
      response.on('error', () => response.destroy())
      if (this.#closing !== undefined) response.setHeader('connection', 'close')
      if (this.#access.answers(request, response)) return
      if (!this.#gateway.serve(request, response)) serveEndpoint(request, response)
    }
    this.#http = createHttpServer(httpLimits, serve)
    // It never listens itself; this is what starts its watch over connections that send their request too slowly.
    this.#http.emit('listening')
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  async listen(url: string): Promise<void> {
    const { host, port } = parseUrl(url)
    const server = createServer(socketOptions, (socket) => this.#sniff(socket))
    server.maxConnections = this.#connectionsMax
    await new Promise<void>((resolve, reject) => {
      // Kept after listening: an error of accept() ends that connection, not the server.
      server.on('error', (error: NodeJS.ErrnoException) => reject(new ListenError(url, error)))
      server.listen({ port, host }, resolve)
    })
    this.#servers.push(server)
    const address = server.address() as AddressInfo
    const shownHost = host.includes(':') ? `[${host}]` : host
    this.urls.push(`http://${shownHost}:${address.port}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    this.#gateway.close()
    await Promise.all([
      this.#grpc.close(this.#closeGraceMs),
      this.#native.close(),
      this.#closeHttp(this.#closeGraceMs),
    ])
    this.#http.close()
    await Promise.all(closed)
  }

  /** Lets answers that are under way reach their clients. */
  async #closeHttp(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs
    while (this.#sockets.size > 0 && performance.now() < deadline) {
      this.#http.closeIdleConnections()
      for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, closePollMs))
    }
    for (const socket of this.#sockets) socket.destroy()
  }

  #sniff(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    let head: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => socket.destroy(), sniffTimeoutMs)
    // A connection that breaks this early concerns nobody; `close` cleans up.
    const onError = (): void => void socket.destroy()
    const onClose = (): void => clearTimeout(timer)
    const onData = (chunk: Buffer): void => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      const seen = Math.min(head.length, prefaceStart.length)
      const isHttp2 = head.compare(prefaceStart, 0, seen, 0, seen) === 0
      if (isHttp2 && seen < prefaceStart.length) return
      clearTimeout(timer)
      socket.off('data', onData).off('error', onError).off('close', onClose)
      socket.off('end', onEnd)
      if (isHttp2) {
        this.#sockets.delete(socket)
        this.#grpc.accept(socket, head)
      } else this.#serveHttp(socket, head)
    }
    const onEnd = (): void => void socket.destroy()
    socket.on('data', onData).on('error', onError).on('close', onClose).on('end', onEnd)
  }

  #serveHttp(socket: Socket, head: Buffer): void {
    socket.pause()
    socket.unshift(head)
    this.#http.emit('connection', socket)
    socket.resume()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on nobody else listens for the errors of this socket.
    socket.on('error', () => socket.destroy())
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/native') {
      this.#native.handleUpgrade(request, socket, head)
      return
    }
    if (this.#access.allows(request) && this.#gateway.upgrade(request, socket, head)) return
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
}

function parseUrl(text: string): { host: string; port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'http:' || url.pathname !== '/') {
    throw new ListenError(text, undefined)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { host, port: url.port === '' ? 80 : Number(url.port) }
}
