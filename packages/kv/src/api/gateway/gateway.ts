// etcd's JSON gateway: POST /v3/... with the JSON of a request, answered with the JSON of the reply; a stream is answered line by line.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AssertionError } from '@balsa/raft/assert'
import { grpcStatus, KvError } from '../../errors.ts'
import type { GrpcStatus } from '../../errors.ts'
import type { MemberApi } from '../../member/types.ts'
import type { Method, RequestStream, StreamMethod, UnaryMethod } from '../services/index.ts'
import { BadJson, encodeFromJson, jsonFromMessage } from './message-json.ts'

/** JSON of the largest message: base64 makes 4 bytes of 3. */
export const bodySizeBytesMax = 3_145_728
const httpStatuses: Readonly<Partial<Record<GrpcStatus, number>>> = {
  [grpcStatus.ok]: 200,
  [grpcStatus.canceled]: 408,
  [grpcStatus.invalidArgument]: 400,
  [grpcStatus.deadlineExceeded]: 504,
  [grpcStatus.notFound]: 404,
  [grpcStatus.alreadyExists]: 409,
  [grpcStatus.permissionDenied]: 403,
  [grpcStatus.resourceExhausted]: 429,
  [grpcStatus.failedPrecondition]: 412,
  [grpcStatus.aborted]: 409,
  [grpcStatus.outOfRange]: 400,
  [grpcStatus.unimplemented]: 501,
  [grpcStatus.unavailable]: 503,
  [grpcStatus.unauthenticated]: 401,
}

export interface Gateway {
  /** Answers requests below /v3 and /v3beta; false for all others, which are left untouched. */
  serve(request: IncomingMessage, response: ServerResponse): boolean
  /** Ends the streams that are open. */
  close(): void
}

export function createGateway(member: MemberApi, methods: readonly Method[]): Gateway {
  const routes = new Map(
    methods.flatMap((method) => method.routes.map((route) => [route, method] as const)),
  )
  const streams: OpenStreams = new Set()
  return {
    serve: (request, response) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      const match = /^\/v3(?:beta)?(\/.*)$/.exec(path)
      if (match === null) return false
      const method = routes.get(match[1] ?? '')
      if (method === undefined) sendText(response, 404, 'Not Found')
      else if (request.method !== 'POST') sendText(response, 405, 'Method Not Allowed')
      else {
        const caller = memberFor(member, request)
        readBody(request, response, (body) =>
          serve({ member: caller, streams }, method, body, response),
        )
      }
      return true
    },
    close: () => {
      for (const end of streams) end(new KvError('STOPPED'))
    },
  }
}

/** As in etcd, a certificate says nothing here: the gateway would lend its own to everyone. */
function memberFor(member: MemberApi, { headers }: IncomingMessage): MemberApi {
  const token = headers.authorization ?? headers['grpc-metadata-token']
  return typeof token === 'string' && token !== '' ? member.as({ token }) : member
}

/** What ends each of the streams that are open. */
type OpenStreams = Set<(error: KvError) => void>
interface Context {
  readonly member: MemberApi
  readonly streams: OpenStreams
}

function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  onBody: (body: string) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= bodySizeBytesMax) chunks.push(chunk)
    else if (!response.headersSent) {
      response.setHeader('connection', 'close')
      refuse(response, 413, grpcStatus.resourceExhausted, 'etcdserver: request is too large')
      chunks.length = 0
    }
  })
  request.on('end', () => {
    if (size <= bodySizeBytesMax) onBody(Buffer.concat(chunks).toString('utf8'))
  })
}

function serve(context: Context, method: Method, body: string, response: ServerResponse): void {
  let requests: Uint8Array[]
  try {
    requests = parseRequests(body).map((json) => encodeFromJson(method.request, json))
  } catch (reason) {
    refuse(response, 400, grpcStatus.invalidArgument, badJsonText(reason))
    return
  }
  try {
    if (method.kind === 'unary') serveUnary(context.member, method, requests, response)
    else serveStream(context, method, requests, response)
  } catch (reason) {
    if (reason instanceof AssertionError) throw reason
    fail(response, KvError.from(reason))
  }
}

/** One JSON value, or several of them line by line for a stream. An empty body is an empty request. */
function parseRequests(body: string): unknown[] {
  const text = body.trim()
  if (text === '') return [{}]
  try {
    return [JSON.parse(text)]
  } catch (reason) {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    if (lines.length < 2) throw reason
    return lines.map((line): unknown => JSON.parse(line))
  }
}

function serveUnary(
  member: MemberApi,
  method: UnaryMethod,
  requests: readonly Uint8Array[],
  response: ServerResponse,
): void {
  const [request] = requests
  if (request === undefined || requests.length > 1) throw new KvError('MALFORMED')
  const giveUp = method.call(member, request, (error, body) => {
    if (error !== undefined || body === undefined) fail(response, error ?? new KvError('INTERNAL'))
    else sendJson(response, 200, jsonFromMessage(method.response, body))
  })
  if (giveUp !== undefined) response.on('close', giveUp)
}

function serveStream(
  { member, streams }: Context,
  method: StreamMethod,
  requests: readonly Uint8Array[],
  response: ServerResponse,
): void {
  let isOver = false
  let stream: RequestStream | undefined
  const finish = (): void => {
    if (isOver) return
    isOver = true
    streams.delete(end)
    stream?.closed()
  }
  const end = (error: KvError | undefined): void => {
    if (isOver) return
    finish()
    if (error === undefined || response.headersSent) {
      writeStreamHead(response)
      response.end(error === undefined ? '' : `{"error":${errorJson(error)}}\n`)
    } else fail(response, error)
  }
  const send = (body: Uint8Array): boolean => {
    if (isOver) return true
    writeStreamHead(response)
    return response.write(`{"result":${jsonFromMessage(method.response, body)}}\n`)
  }
  streams.add(end)
  response.on('drain', () => !isOver && stream?.writable())
  response.on('close', finish)
  try {
    stream = method.open(member, { send, end })
    if (isOver) stream.closed()
    for (const request of requests) if (!isOver) stream.message(request)
    if (!isOver) stream.halfClosed()
  } catch (reason) {
    if (reason instanceof AssertionError) throw reason
    end(KvError.from(reason))
  }
}

function writeStreamHead(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' })
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'grpc-metadata-content-type': 'application/grpc',
  })
  response.end(body)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}

function fail(response: ServerResponse, error: KvError): void {
  sendJson(response, httpStatuses[error.grpcStatus] ?? 500, errorJson(error))
}

function refuse(response: ServerResponse, status: number, code: GrpcStatus, text: string): void {
  sendJson(response, status, JSON.stringify({ error: text, message: text, code }))
}

function errorJson(error: KvError): string {
  const { message } = error
  return JSON.stringify({ error: message, message, code: error.grpcStatus })
}

function badJsonText(reason: unknown): string {
  if (reason instanceof BadJson) return reason.message
  return reason instanceof SyntaxError ? `invalid JSON: ${reason.message}` : String(reason)
}
