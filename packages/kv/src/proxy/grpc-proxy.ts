// A gRPC front for a cluster that keeps no state: it spreads connections over the members, merges equal watches and keep-alives, and
// answers serializable reads from what it has seen. One port serves gRPC and, over HTTP/1.1, its health and metrics.
import { createServer as createHttpServer } from 'node:http'
import type { Server as HttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { createGrpcServer } from '../api/grpc/grpc-server.ts'
import type { GrpcServer } from '../api/grpc/grpc-server.ts'
import { HealthService } from '../api/grpc/health.ts'
import { listenAt, parseListenUrl } from '../api/listen-url.ts'
import { WireMetrics } from '../api/wire-metrics.ts'
import { openServerTls } from '../tls/server-tls.ts'
import type { ServerTls, ServerTlsOptions } from '../tls/server-tls.ts'
import { Namespace } from './namespace.ts'
import { createProxyEndpoints } from './proxy-endpoints.ts'
import { proxyCaller, ProxyService } from './proxy-methods.ts'
import { ProxyRegistry } from './proxy-registry.ts'
import { Upstream } from './upstream.ts'
import type { UpstreamOptions } from './upstream.ts'

export interface GrpcProxyOptions extends UpstreamOptions {
  /** host:port; port 0 takes a free one. */
  readonly listenAddress: string
  /** What is shown to clients; without it they connect without TLS. */
  readonly serverTls?: ServerTlsOptions
  /** Where else metrics and health are served. */
  readonly metricsUrl?: string
  /** Every key gets it on the way to the members. */
  readonly namespace?: Uint8Array
  /** Where member lists send clients; the members themselves if left out. */
  readonly advertiseClientUrl?: string
  /** Proxies that share it know each other and are listed as members. */
  readonly resolver?: { readonly prefix: string; readonly ttlSeconds: number }
  readonly onWarning?: (message: string) => void
}

export interface GrpcProxy {
  /** host:port, with the real port. */
  readonly address: string
  readonly metricsUrl: string | undefined
  close(): Promise<void>
}

const sniffTimeoutMs = 10_000
const closeGraceMs = 2000
const connectionsMax = 10_000
const prefaceStart = Buffer.from('PRI * HTTP/2.0')

/** Rejects if it cannot listen or its certificates cannot be read. */
export async function startGrpcProxy(options: GrpcProxyOptions): Promise<GrpcProxy> {
  const tls = options.serverTls === undefined ? undefined : await openServerTls(options.serverTls)
  const proxy = new RunningProxy(options, tls)
  try {
    await proxy.listen(options)
  } catch (reason) {
    await proxy.close()
    throw reason
  }
  return proxy
}

class RunningProxy implements GrpcProxy {
  readonly #upstream: Upstream
  readonly #service: ProxyService
  readonly #registry: ProxyRegistry | undefined
  readonly #health = new HealthService()
  readonly #grpc: GrpcServer
  readonly #http: HttpServer
  readonly #tls: ServerTls | undefined
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  address = ''
  metricsUrl: string | undefined

  constructor(options: GrpcProxyOptions, tls: ServerTls | undefined) {
    const { namespace = new Uint8Array(0), advertiseClientUrl, resolver, onWarning } = options
    this.#tls = tls
    this.#upstream = new Upstream(options)
    this.#registry =
      resolver === undefined || advertiseClientUrl === undefined
        ? undefined
        : new ProxyRegistry(this.#upstream, { ...resolver, address: advertiseClientUrl, onWarning })
    const registry = this.#registry
    this.#service = new ProxyService({
      upstream: this.#upstream,
      namespace: namespace.length === 0 ? undefined : new Namespace(namespace),
      advertised: advertiseClientUrl,
      proxies: registry && (() => registry.list()),
    })
    const metrics = new WireMetrics()
    this.#grpc = createGrpcServer({
      member: proxyCaller(''),
      methods: [...this.#service.methods, ...this.#health.methods],
      metrics,
    })
    this.#http = createHttpServer(createProxyEndpoints(this.#upstream, this.#service, metrics))
    // It never listens itself; this is what starts its watch over connections that are too slow.
    this.#http.emit('listening')
  }

  async listen({ listenAddress, metricsUrl }: GrpcProxyOptions): Promise<void> {
    const scheme = this.#tls === undefined ? 'http' : 'https'
    const url = await this.#listenAt(`${scheme}://${listenAddress}`, (socket) =>
      this.#sniff(socket),
    )
    this.address = url.replace(/^https?:\/\//, '')
    if (metricsUrl !== undefined) {
      this.metricsUrl = await this.#listenAt(metricsUrl, (socket) => this.#serveHttp(socket))
    }
    this.#registry?.start()
  }

  async close(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    this.#health.shutDown()
    await this.#registry?.close()
    this.#service.close()
    await this.#grpc.close(closeGraceMs)
    for (const socket of this.#sockets) socket.destroy()
    this.#http.close()
    this.#tls?.close()
    await Promise.all(closed)
    this.#upstream.close()
  }

  async #listenAt(text: string, serve: (socket: Socket) => void): Promise<string> {
    const url = parseListenUrl(text)
    const socketOptions = { noDelay: true, allowHalfOpen: true, keepAlive: true }
    const tls = this.#tls
    const accept = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      serve(socket)
    }
    let server: Server
    if (!url.isTls) server = createServer(socketOptions, accept)
    else if (tls === undefined) throw new Error(`${text} needs --cert-file and --key-file`)
    else {
      const tlsServer = createTlsServer({ ...socketOptions, ...tls.serverOptions() })
      tls.onRenewed((renewed) => tlsServer.setSecureContext(renewed))
      tlsServer.on('secureConnection', (socket) => {
        if ('refusal' in tls.judge(socket)) socket.on('error', () => socket.destroy()).destroy()
        else accept(socket)
      })
      tlsServer.on('tlsClientError', (_error, socket) => socket.destroy())
      server = tlsServer
    }
    server.maxConnections = connectionsMax
    this.#servers.push(server)
    return listenAt(server, url)
  }

  /** The first bytes tell gRPC from HTTP/1.1. */
  #sniff(socket: Socket): void {
    let head: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => socket.destroy(), sniffTimeoutMs)
    const onEnd = (): void => void socket.destroy()
    const onClose = (): void => clearTimeout(timer)
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const seen = Math.min(head.length, prefaceStart.length)
      const isHttp2 = head.compare(prefaceStart, 0, seen, 0, seen) === 0
      if (isHttp2 && seen < prefaceStart.length) return
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('close', onClose)
      if (isHttp2) this.#grpc.accept(socket, head)
      else {
        socket.pause()
        socket.unshift(head)
        this.#serveHttp(socket)
        socket.resume()
      }
    }
    socket.on('data', onData).on('end', onEnd).on('close', onClose)
  }

  #serveHttp(socket: Socket): void {
    this.#http.emit('connection', socket)
  }
}
