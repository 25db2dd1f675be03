// HTTP/1.1 on the client ports: the JSON gateway, the health endpoints and the upgrade to the native protocol; on ports for metrics the
// endpoints of probes alone. It listens to nothing itself; the listener hands it sockets.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Limits } from '../limits.ts'
import type { MemberApi } from '../member/types.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { createAccessCheck, type AccessCheck, type AccessOptions } from './http/access.ts'
import { createHttpEndpoints } from './http/http-endpoints.ts'
import { methods } from './services/index.ts'
import type { WireMetrics } from './wire-metrics.ts'

const closePollMs = 10
const httpLimits = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  // Node's five seconds would end pooled connections just as their client uses them again; etcd ends none.
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 5000,
} as const

/** The native protocol: takes over an HTTP/1.1 connection that asks for it. */
export interface UpgradeServer {
  /** `commonName`: of the verified client certificate. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, commonName?: string): void
  close(): Promise<void>
}

export interface ClientHttpOptions {
  readonly member: MemberApi
  readonly native: UpgradeServer
  /** False: no JSON gateway. */
  readonly hasGateway: boolean
  /** Who may ask; everybody if left out. */
  readonly access: AccessOptions | undefined
  /** What the wires count. */
  readonly metrics: WireMetrics
  readonly limits: Readonly<Limits>
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

export class ClientHttp {
  readonly #native: UpgradeServer
  readonly #serveEndpoint: Serve
  readonly #servers: { readonly all: Server; readonly metrics: Server }
  readonly #sockets = new Set<Socket>()
  readonly #commonNames = new WeakMap<Duplex, string>()
  /** Undefined: JSON is not served. */
  readonly #gateway: Gateway | undefined
  readonly #access: AccessCheck
  #isClosing = false

  constructor(options: ClientHttpOptions) {
    const { member, native, hasGateway, metrics: counts, limits } = options
    this.#native = native
    this.#serveEndpoint = createHttpEndpoints(member, counts)
    this.#gateway = hasGateway
      ? createGateway({ member, methods, metrics: counts, limits })
      : undefined
    this.#access = createAccessCheck(options.access)
    const all = this.#server((request, response) => {
      if (this.#access.answers(request, response)) return
      if (this.#gateway?.serve(request, response) !== true) this.#serveEndpoint(request, response)
    })
    all.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    const metrics = this.#server((request, response) => this.#serveMetrics(request, response))
    this.#servers = { all, metrics }
  }

  /** Serves a connection; nothing was read from it, or it was given back. */
  accept(socket: Socket, port: 'all' | 'metrics', commonName?: string): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    if (commonName !== undefined) this.#commonNames.set(socket, commonName)
    this.#servers[port].emit('connection', socket)
  }

  /** Lets answers that are under way reach their clients. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true
    this.#gateway?.close()
    const servers = Object.values(this.#servers)
    const deadline = performance.now() + graceMs
    while (this.#sockets.size > 0 && performance.now() < deadline) {
      for (const server of servers) server.closeIdleConnections()
      for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, closePollMs))
    }
    for (const socket of this.#sockets) socket.destroy()
    for (const server of servers) server.close()
  }

  #server(serve: Serve): Server {
    const server = createServer(httpLimits, (request, response) => {
      // A client that goes away in the middle is no error of ours.
      response.on('error', () => response.destroy())
      if (this.#isClosing) response.setHeader('connection', 'close')
      serve(request, response)
    })
    // It never listens itself; this is what starts its watch over connections that send their request too slowly.
    server.emit('listening')
    return server
  }

  #serveMetrics(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (/^\/(?:metrics|health|livez|readyz)(?:\/|$)/.test(path)) {
      this.#serveEndpoint(request, response)
      return
    }
    const body = '404 page not found\n'
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end(body)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on nobody else listens for the errors of this socket.
    socket.on('error', () => socket.destroy())
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/native') {
      this.#native.handleUpgrade(request, socket, head, this.#commonNames.get(socket))
      return
    }
    const isAllowed = this.#access.allows(request)
    if (isAllowed && this.#gateway?.upgrade(request, socket, head) === true) return
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
}
