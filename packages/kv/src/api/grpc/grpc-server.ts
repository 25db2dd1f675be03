// gRPC on our own HTTP/2: routes calls to the services' methods. It listens to nothing itself; the listener hands it sockets.
import type { Duplex } from 'node:stream'
import { grpcStatus, KvError } from '../../errors.ts'
import type { Method, Served } from '../services/index.ts'
import { WireMetrics } from '../wire-metrics.ts'
import type { CallCounts } from '../wire-metrics.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import { GrpcError } from './grpc-error.ts'
import {
  errorTrailers,
  httpStatusHeaders,
  parseGrpcHeaders,
  parseTimeoutMs,
} from './grpc-headers.ts'
import type { GrpcHeaders } from './grpc-headers.ts'
import { defaultLimits, type Limits } from '../../limits.ts'
import { HeaderCache } from './http2/header-cache.ts'
import { keepAliveCheckMs } from './http2/keep-alive.ts'
import { Http2Connection } from './http2/http2-connection.ts'
import type { Http2Server } from './http2/http2-server.ts'
import type { Http2Stream, StreamHandler } from './http2/http2-stream.ts'
import { StreamingCall } from './streaming-call.ts'
import { UnaryCall } from './unary-call.ts'
import type { CallContext } from './unary-call.ts'

/** How often streams that require a leader are checked, and how often in a row none may be there. */
const leaderCheckMs = 1000
const leaderlessChecksMax = 3

export interface GrpcServer {
  /** Serves a connection whose first bytes, `head`, were read already. `commonName`: of its verified client certificate. */
  accept(socket: Duplex, head: Buffer, commonName?: string): void
  /** Ends streams, lets unary calls finish, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>
}

interface ServedMethod<Asked> {
  readonly method: Method<Asked>
  readonly counts: CallCounts
}

interface GrpcServerOptions<Asked> {
  readonly member: Asked
  readonly methods: readonly Method<Asked>[]
  readonly metrics?: WireMetrics
  readonly limits?: Readonly<Limits> | undefined
  readonly nowMs?: () => number
}

export function createGrpcServer<Asked extends Served<Asked>>(
  options: GrpcServerOptions<Asked>,
): GrpcServer {
  return new GrpcRouter(options)
}

class GrpcRouter<Asked extends Served<Asked>> implements GrpcServer, Http2Server<GrpcHeaders> {
  readonly cache = new HeaderCache<GrpcHeaders>()
  readonly #member: Asked
  readonly #context: CallContext
  readonly #methods: ReadonlyMap<string, ServedMethod<Asked>>
  readonly #metrics: WireMetrics
  readonly #services: ReadonlySet<string>
  readonly #nowMs: () => number
  readonly #limits: Readonly<Limits>
  readonly #unreadBytes = { count: 0 }
  readonly #connections = new Set<Http2Connection<GrpcHeaders>>()
  readonly #streamingCalls = new Set<StreamingCall>()
  #leaderTimer: NodeJS.Timeout | undefined
  #leaderlessChecks = 0
  #aliveTimer: NodeJS.Timeout | undefined
  #onIdle: (() => void) | undefined

  constructor(options: GrpcServerOptions<Asked>) {
    const { member, methods, metrics = new WireMetrics() } = options
    const { nowMs = () => performance.now() } = options
    this.#member = member
    this.#metrics = metrics
    const { limits = defaultLimits } = options
    this.#limits = limits
    this.#context = { deadlines: new DeadlineQueue(nowMs), partialBytes: { count: 0, limits } }
    this.#methods = new Map(
      methods.map((method) => [method.path, { method, counts: metrics.countsOf(method) }]),
    )
    this.#services = new Set(methods.map((method) => serviceOf(method.path)))
    this.#nowMs = nowMs
  }

  accept(socket: Duplex, head: Buffer, commonName?: string): void {
    const connection: Http2Connection<GrpcHeaders> = new Http2Connection({
      socket,
      server: commonName === undefined ? this : this.#asCertified(commonName),
      nowMs: this.#nowMs,
      limits: this.#limits,
      unreadBytes: this.#unreadBytes,
      onClosed: () => {
        this.#connections.delete(connection)
        if (this.#connections.size === 0) this.#onIdle?.()
      },
    })
    this.#connections.add(connection)
    this.#aliveTimer ??= this.#watchConnections()
    connection.push(head)
  }

  async close(graceMs: number): Promise<void> {
    clearInterval(this.#leaderTimer)
    clearTimeout(this.#aliveTimer)
    for (const call of this.#streamingCalls) call.end(new KvError('STOPPED'))
    for (const connection of this.#connections) connection.shutDown()
    if (this.#connections.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const connection of this.#connections) connection.socket.destroy()
      }, graceMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Each look follows the limits that hold then. */
  #watchConnections(): NodeJS.Timeout {
    const look = (): void => {
      for (const connection of this.#connections) connection.checkAlive()
      this.#aliveTimer = this.#watchConnections()
    }
    return setTimeout(look, keepAliveCheckMs(this.#limits)).unref()
  }

  parseHeaders = parseGrpcHeaders

  isConstant(headers: GrpcHeaders): boolean {
    return headers.timeout === ''
  }

  open(stream: Http2Stream, headers: GrpcHeaders, commonName?: string): StreamHandler {
    if (headers.httpMethod !== 'POST') return refuse(stream, httpStatusHeaders(405))
    if (!headers.isGrpc) return refuse(stream, httpStatusHeaders(415))
    const served = this.#methods.get(headers.path)
    const problem = this.#problemOf(headers)
    if (served === undefined || problem !== undefined) {
      const error = problem ?? this.#unknown(headers.path)
      served?.counts.ended(error.grpcStatus)
      return refuse(stream, errorTrailers(error.grpcStatus, error.message, true))
    }
    const timeoutMs = headers.timeout === '' ? undefined : parseTimeoutMs(headers.timeout)
    const member = this.#memberFor(headers.token, commonName)
    const { method, counts } = served
    counts.started()
    this.#metrics.request(method.kind, headers.apiVersion)
    if (method.kind === 'unary') {
      const { maxStalenessMs } = headers
      const call = { member, method, counts, timeoutMs, maxStalenessMs }
      return new UnaryCall(this.#context, stream, call)
    }
    const { requiresLeader } = headers
    const call = new StreamingCall(this.#context, stream, {
      counts,
      timeoutMs,
      requiresLeader,
      onOver: (over) => this.#streamingCalls.delete(over),
    })
    this.#streamingCalls.add(call)
    if (requiresLeader) this.#watchLeader()
    call.open(member, method)
    return call
  }

  /** This server for the connection of one who showed a certificate. */
  #asCertified(commonName: string): Http2Server<GrpcHeaders> {
    return {
      cache: this.cache,
      parseHeaders: this.parseHeaders,
      isConstant: (headers) => this.isConstant(headers),
      open: (stream, headers) => this.open(stream, headers, commonName),
    }
  }

  #memberFor(token: string, commonName: string | undefined): Asked {
    const isStranger = token === '' && commonName === undefined
    return isStranger ? this.#member : this.#member.as({ token, commonName })
  }

  #problemOf(headers: GrpcHeaders): GrpcError | KvError | undefined {
    if (headers.encoding !== '' && headers.encoding !== 'identity') {
      const message = `grpc: Decompressor is not installed for grpc-encoding "${headers.encoding}"`
      return new GrpcError(grpcStatus.unimplemented, message)
    }
    if (headers.timeout !== '' && parseTimeoutMs(headers.timeout) === undefined) {
      return new GrpcError(grpcStatus.internal, `malformed grpc-timeout: ${headers.timeout}`)
    }
    if (headers.requiresLeader && this.#member.leader() === 0n) {
      return new KvError('NO_LEADER')
    }
    return undefined
  }

  #unknown(path: string): GrpcError {
    const service = serviceOf(path)
    const method = path.slice(service.length + 2)
    const message = this.#services.has(service)
      ? `unknown method ${method} for service ${service}`
      : `unknown service ${service}`
    return new GrpcError(grpcStatus.unimplemented, message)
  }

  #watchLeader(): void {
    this.#leaderTimer ??= setInterval(() => this.#checkLeader(), leaderCheckMs).unref()
  }

  #checkLeader(): void {
    const hasLeader = this.#member.leader() !== 0n
    this.#leaderlessChecks = hasLeader ? 0 : this.#leaderlessChecks + 1
    const calls = [...this.#streamingCalls].filter((call) => call.requiresLeader)
    if (calls.length === 0) {
      clearInterval(this.#leaderTimer)
      this.#leaderTimer = undefined
    }
    if (this.#leaderlessChecks < leaderlessChecksMax) return
    for (const call of calls) call.end(new KvError('NO_LEADER'))
  }
}

/** Answers with a block that ends the stream; what the client still sends is dropped. */
function refuse(stream: Http2Stream, block: Uint8Array): StreamHandler {
  stream.sendTrailers(block)
  return { data: () => undefined, writable: () => undefined, closed: () => undefined }
}

function serviceOf(path: string): string {
  return path.slice(1, Math.max(1, path.lastIndexOf('/')))
}
