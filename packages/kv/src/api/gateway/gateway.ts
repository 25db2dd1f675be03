// etcd's JSON gateway: POST /v3/... with the JSON of a request, answered with the JSON of the reply; a stream is answered line by line.
// The same paths over WebSocket: each message is a request, each line of the answer a message.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { grpcStatus, KvError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { MemberApi } from '../../member/types.ts'
import { parseTimeoutMs } from '../grpc/grpc-headers.ts'
import type { Method } from '../services/index.ts'
import type { WireMetrics } from '../wire-metrics.ts'
import { errorJson, GatewayCall, unreadBytesMax } from './gateway-call.ts'
import type { GatewayOut } from './gateway-call.ts'
import { httpStatusOf } from './http-status.ts'

/** Bytes of lines a WebSocket client may leave unread before the service is told to wait. */
const socketBufferBytesMax = 1_048_576

export interface Gateway {
  /** Answers requests below /v3 and /v3beta; false for all others, which are left untouched. */
  serve(request: IncomingMessage, response: ServerResponse): boolean
  /** Takes over a connection that asks for a WebSocket below /v3 or /v3beta; false for all others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Ends the streams that are open. */
  close(): void
}

export interface GatewayOptions {
  readonly member: MemberApi
  readonly methods: readonly Method[]
  readonly metrics: WireMetrics
  readonly limits: Readonly<Limits>
}

export function createGateway(options: GatewayOptions): Gateway {
  return new JsonGateway(options)
}

class JsonGateway implements Gateway {
  readonly #member: MemberApi
  readonly #routes: ReadonlyMap<string, Method>
  readonly #metrics: WireMetrics
  readonly #calls = new Set<GatewayCall>()
  readonly #sockets: WebSocketServer
  readonly #limits: Readonly<Limits>

  constructor({ member, methods, metrics, limits }: GatewayOptions) {
    this.#member = member
    this.#metrics = metrics
    this.#limits = limits
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: unreadBytesMax(limits),
      handleProtocols: (protocols) => protocols.values().next().value ?? false,
    })
    this.#routes = new Map(
      methods.flatMap((method) => method.routes.map((route) => [route, method] as const)),
    )
  }

  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const route = routeOf(request.url)
    if (route === undefined) return false
    const method = this.#routes.get(route)
    if (method === undefined) sendText(response, 404, 'Not Found')
    else if (request.method !== 'POST') sendText(response, 405, 'Method Not Allowed')
    else {
      const call = this.#open(request.headers, method, new HttpOut(response))
      if (call === undefined) return true
      request.on('data', (chunk: Buffer) => call.data(chunk))
      request.on('end', () => call.inputEnded())
      response.on('drain', () => call.drained())
      response.on('close', () => call.close())
    }
    return true
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const route = routeOf(request.url)
    if (route === undefined) return false
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate())
      const method = this.#routes.get(route)
      if (method === undefined) {
        client.send('Not Found')
        client.close()
        return
      }
      const out = new SocketOut(client)
      const call = this.#open(headersOfSocket(request.headers), method, out)
      if (call === undefined) return
      client.on('message', (text: Buffer) =>
        call.data(Buffer.concat([text, Buffer.from('\n')]), true),
      )
      client.on('close', () => call.close())
      socket.on('drain', () => call.drained())
    })
    return true
  }

  close(): void {
    for (const call of this.#calls) call.stop(new KvError('STOPPED'))
  }

  /** Undefined if it was refused. */
  #open(headers: IncomingHttpHeaders, method: Method, out: GatewayOut): GatewayCall | undefined {
    const timeout = String(headers['grpc-timeout'] ?? '')
    const timeoutMs = timeout === '' ? undefined : parseTimeoutMs(timeout)
    if (timeout !== '' && timeoutMs === undefined) {
      const body = errorJson(grpcStatus.invalidArgument, `invalid grpc-timeout: ${timeout}`)
      out.refuse(400, body, false)
      return undefined
    }
    if (headers['grpc-metadata-hasleader'] === 'true' && this.#member.leader() === 0n) {
      const { grpcStatus: status, message } = new KvError('NO_LEADER')
      out.refuse(httpStatusOf(status), errorJson(status, message), true)
      return undefined
    }
    const onOver = (): void => void this.#calls.delete(call)
    const call = new GatewayCall(memberFor(this.#member, headers), method, {
      out,
      counts: this.#metrics.countsOf(method),
      limits: this.#limits,
      timeoutMs,
      onOver,
    })
    this.#metrics.request(method.kind, '')
    this.#calls.add(call)
    return call
  }
}

/** As in etcd, a certificate says nothing here: the gateway would lend its own to everyone. */
function memberFor(member: MemberApi, headers: IncomingHttpHeaders): MemberApi {
  const token = headers.authorization ?? headers['grpc-metadata-token']
  return typeof token === 'string' && token !== '' ? member.as({ token }) : member
}

/** The path below /v3; undefined for one elsewhere. */
function routeOf(url: string | undefined): string | undefined {
  const path = (url ?? '').split('?', 1)[0] ?? ''
  return /^\/v3(?:beta)?(\/.*)$/.exec(path)?.[1]
}

/** A browser can set no header of a WebSocket but the protocols: `Bearer, TOKEN` stands for Authorization. */
function headersOfSocket(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const token = /^Bearer, *(\S+)$/.exec(headers['sec-websocket-protocol'] ?? '')?.[1]
  return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` }
}

class HttpOut implements GatewayOut {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  answer(body: string): void {
    this.#send(200, { 'grpc-metadata-content-type': 'application/grpc' }, body)
  }

  refuse(httpStatus: number, body: string, isOfService: boolean): void {
    const response = this.#response
    if (!isOfService) {
      this.#send(httpStatus, {}, body)
      return
    }
    if (response.headersSent || response.destroyed) return
    // As in etcd, what the service sent as trailers are trailers here.
    const trailer = 'Grpc-Trailer-Content-Type'
    response.writeHead(httpStatus, { 'content-type': 'application/json', trailer })
    response.write(body)
    response.addTrailers({ [trailer]: 'application/grpc' })
    response.end()
  }

  line(text: string): boolean {
    this.#startStream(200, { 'grpc-metadata-content-type': 'application/grpc' })
    return this.#response.write(text)
  }

  end(last: string, httpStatus: number): void {
    this.#startStream(httpStatus, {})
    this.#response.end(last)
  }

  #startStream(httpStatus: number, headers: Readonly<Record<string, string>>): void {
    const response = this.#response
    if (response.headersSent) return
    response.writeHead(httpStatus, { 'content-type': 'application/json', ...headers })
    response.flushHeaders()
  }

  #send(httpStatus: number, headers: Readonly<Record<string, string>>, body: string): void {
    const response = this.#response
    if (response.headersSent || response.destroyed) return
    response.writeHead(httpStatus, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    })
    response.end(body)
  }
}

class SocketOut implements GatewayOut {
  readonly #client: WebSocket

  constructor(client: WebSocket) {
    this.#client = client
  }

  answer(body: string): void {
    this.#client.send(body)
    this.#client.close()
  }

  refuse(_httpStatus: number, body: string): void {
    this.answer(body)
  }

  line(text: string): boolean {
    this.#client.send(text.trimEnd())
    return this.#client.bufferedAmount < socketBufferBytesMax
  }

  end(last: string): void {
    if (last !== '') this.#client.send(last)
    this.#client.close()
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': text.length + 1,
  })
  response.end(`${text}\n`)
}
