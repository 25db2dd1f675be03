// The client ports, plain or with TLS: every connection is told apart by its first bytes. The HTTP/2 preface goes to gRPC, all else to an
// HTTP/1.1 server with the gateway, the health endpoints and the native protocol's upgrade.
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { defaultLimits, type Limits } from '../limits.ts'
import type { MemberApi } from '../member/types.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import { ClientHttp, type UpgradeServer } from './client-http.ts'
import { createGrpcServer } from './grpc/grpc-server.ts'
import type { GrpcServer } from './grpc/grpc-server.ts'
import { HealthService } from './grpc/health.ts'
import type { AccessOptions } from './http/access.ts'
import { ListenError } from './listen-error.ts'
import { listenAt, parseListenUrl } from './listen-url.ts'
import { createNativeServer } from './native/native-server.ts'
import { methods } from './services/index.ts'
import { WireMetrics } from './wire-metrics.ts'

/** Per URL; those past it are closed at once. */
export const connectionsMax = 10_000
const sniffTimeoutMs = 10_000
const handshakeTimeoutMs = 10_000
/** What close() gives calls that are under way. */
const closeGraceMs = 2000
/** A peer that is gone without a word is noticed, so that its watches end. */
const socketOptions = {
  noDelay: true,
  allowHalfOpen: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
} as const
/** Enough of the HTTP/2 preface to tell it from any HTTP/1.1 request. */
const prefaceStart = Buffer.from('PRI * HTTP/2.0')

export type { UpgradeServer } from './client-http.ts'

export interface ClientListener {
  /** Where clients reach it: with the real ports. */
  readonly urls: readonly string[]
  readonly metricsUrls: readonly string[]
  /** Stops accepting, lets calls finish for a moment, then closes every connection. */
  close(): Promise<void>
}

export interface ClientListenerOptions {
  readonly member: MemberApi
  /** http://host:port, https with `tls`, unix:// or unixs:// and a path; port 0 takes a free one. */
  readonly urls: readonly string[]
  /** Served over HTTP alone; then `urls` are for gRPC alone. */
  readonly httpUrls?: readonly string[] | undefined
  /** Where probes ask for metrics and health. */
  readonly metricsUrls?: readonly string[] | undefined
  /** Closed by close(). */
  readonly tls?: ServerTls | undefined
  readonly hasGateway?: boolean | undefined
  /** A client that TLS did not let in, and why. */
  readonly onRefused?: ((address: string, why: string) => void) | undefined
  /** Gets the upgrade requests for /native; our native protocol if left out. */
  readonly native?: UpgradeServer
  /** Who may ask over HTTP; everybody if left out. */
  readonly access?: AccessOptions | undefined
  readonly limits?: Readonly<Limits> | undefined
  /** Per URL. */
  readonly connectionsMax?: number
  /** What close() gives calls that are under way. */
  readonly closeGraceMs?: number
}

/** Rejects with ListenError if one of the URLs cannot be had; then none is left open. */
export async function listenClients(options: ClientListenerOptions): Promise<ClientListener> {
  const { urls, httpUrls = [], metricsUrls = [] } = options
  const ports = new ClientPorts(options)
  try {
    for (const url of urls) await ports.listen(url, httpUrls.length > 0 ? 'grpc' : 'all')
    for (const url of httpUrls) await ports.listen(url, 'http')
    for (const url of metricsUrls) await ports.listen(url, 'metrics')
  } catch (reason) {
    await ports.close()
    throw reason
  }
  return ports
}

/** What a port serves. */
type Serves = 'all' | 'grpc' | 'http' | 'metrics'

class ClientPorts implements ClientListener {
  readonly urls: string[] = []
  readonly metricsUrls: string[] = []
  readonly #options: ClientListenerOptions
  readonly #health = new HealthService()
  readonly #grpc: GrpcServer
  readonly #http: ClientHttp
  readonly #native: UpgradeServer
  readonly #servers: Server[] = []
  /** Connections that have not said yet what they want. */
  readonly #sockets = new Set<Socket>()
  /** Below the connections of TLS ports. */
  readonly #rawSockets = new Set<Socket>()
  #closing: Promise<void> | undefined

  constructor(options: ClientListenerOptions) {
    const { member, native = createNativeServer(member), hasGateway = true } = options
    const { access, limits = defaultLimits } = options
    this.#options = options
    const metrics = new WireMetrics()
    const all = [...methods, ...this.#health.methods]
    this.#grpc = createGrpcServer({ member, methods: all, metrics, limits })
    this.#native = native
    this.#http = new ClientHttp({ member, native, hasGateway, access, metrics, limits })
  }

  async listen(text: string, serves: Serves): Promise<void> {
    const url = parseListenUrl(text)
    const server = url.isTls ? this.#tlsServer(text, serves) : this.#plainServer(serves)
    server.maxConnections = this.#options.connectionsMax ?? connectionsMax
    const realUrl = await listenAt(server, url)
    this.#servers.push(server)
    if (serves === 'metrics') this.metricsUrls.push(realUrl)
    else this.urls.push(realUrl)
  }

  #plainServer(serves: Serves): Server {
    return createServer(socketOptions, (socket) => this.#sniff(socket, serves))
  }

  #tlsServer(url: string, serves: Serves): Server {
    const { tls, onRefused } = this.#options
    if (tls === undefined) {
      const why = `TLS key/cert (--cert-file, --key-file) must be provided for client url ${url} with HTTPS scheme`
      throw new ListenError(url, new Error(why))
    }
    const options = { ...socketOptions, ...tls.serverOptions() }
    const server = createTlsServer({ ...options, handshakeTimeout: handshakeTimeoutMs })
    tls.onRenewed((renewed) => server.setSecureContext(renewed))
    server.on('connection', (socket: Socket) => hold(this.#rawSockets, socket))
    server.on('secureConnection', (socket: TLSSocket) => {
      const judgement = tls.judge(socket)
      if ('refusal' in judgement) {
        onRefused?.(addressOf(socket), judgement.refusal)
        socket.on('error', () => socket.destroy()).destroy()
      } else this.#sniff(socket, serves, judgement.commonName)
    })
    // Of a handshake that failed. Whoever goes away without a word is no news.
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code !== 'ECONNRESET') onRefused?.(addressOf(socket), error.message)
    })
    return server
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const graceMs = this.#options.closeGraceMs ?? closeGraceMs
    this.#options.tls?.close()
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    this.#health.shutDown()
    await Promise.all([this.#grpc.close(graceMs), this.#native.close(), this.#http.close(graceMs)])
    for (const socket of this.#rawSockets) socket.destroy()
    await Promise.all(closed)
  }

  #sniff(socket: Socket, serves: Serves, commonName?: string): void {
    hold(this.#sockets, socket)
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
      this.#sockets.delete(socket)
      this.#serve(socket, head, { isHttp2, serves, commonName })
    }
    const onEnd = (): void => void socket.destroy()
    socket.on('data', onData).on('error', onError).on('close', onClose).on('end', onEnd)
  }

  #serve(
    socket: Socket,
    head: Buffer,
    caller: { isHttp2: boolean; serves: Serves; commonName: string | undefined },
  ): void {
    const { isHttp2, serves, commonName } = caller
    const isServed = isHttp2 ? serves === 'all' || serves === 'grpc' : serves !== 'grpc'
    if (!isServed) {
      socket.on('error', () => socket.destroy()).destroy()
      return
    }
    if (isHttp2) {
      this.#grpc.accept(socket, head, commonName)
      return
    }
    socket.pause()
    socket.unshift(head)
    this.#http.accept(socket, serves === 'metrics' ? 'metrics' : 'all', commonName)
    socket.resume()
  }
}

function hold(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
}

function addressOf(socket: Socket): string {
  const { remoteAddress = 'unix', remotePort } = socket
  return remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`
}
