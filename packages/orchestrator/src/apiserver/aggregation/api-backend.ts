// The server behind one APIService: requests to it over TLS as the front proxy, on connections that are kept, and documents of it with
// limits for their time and size.
import { createHash } from 'node:crypto'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { ApiError } from '../../client/api-client.ts'
import type { ApiServiceSpec } from '../../resources/aggregation/api-service.ts'
import type { Json } from '../../resources/object.ts'
import type { User } from '../access/user.ts'
import type { FrontProxy, KeyPair } from '../pki/certificates.ts'
import type { RemoteEndpoint, ServiceEndpoints } from '../webhooks/remote-endpoint.ts'
import { identityHeaders } from './proxy-identity.ts'

export interface BackendRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly user: User
}

export interface DocumentAnswer {
  readonly status: number
  readonly etag: string
  /** Of the bytes: servers that send no ETag may still answer the same. */
  readonly hash: string
  /** undefined unless the status is 200. */
  readonly json: Json | undefined
}

export interface DocumentRequest {
  readonly path: string
  readonly accept: string
  readonly timeoutMs: number
  readonly bytesMax: number
  /** Answers 304 where the document is still this one. */
  readonly etag?: string
}

/** Watches and streams keep a connection each. */
const connectionsMax = 1024
const idleConnectionsMax = 32

/** As whom the apiserver itself asks. */
const aggregatorUser: User = { name: 'system:kube-aggregator', groups: ['system:masters'] }

export class ApiBackend {
  readonly spec: ApiServiceSpec
  readonly #endpoints: ServiceEndpoints
  readonly #frontProxy: () => Promise<FrontProxy>
  #agent: Agent | undefined
  #isClosed = false

  constructor(
    spec: ApiServiceSpec,
    endpoints: ServiceEndpoints,
    frontProxy: () => Promise<FrontProxy>,
  ) {
    this.spec = spec
    this.#endpoints = endpoints
    this.#frontProxy = frontProxy
  }

  /** Not yet ended. Rejects with ApiError ServiceUnavailable where the service has no ready address. */
  async request({ method, path, headers, user }: BackendRequest): Promise<ClientRequest> {
    const { client } = await this.#frontProxy()
    if (this.#isClosed) throw new ApiError(503, 'ServiceUnavailable', 'service unavailable')
    const { host, port, serverName } = this.#address()
    return request({
      method,
      host,
      port,
      path,
      servername: serverName,
      agent: (this.#agent ??= this.#newAgent(client)),
      headers: { host: serverName, ...headers, ...identityHeaders(user) },
    })
  }

  #newAgent(client: KeyPair): Agent {
    const { caBundle = '', insecureSkipTLSVerify } = this.spec
    return new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      maxFreeSockets: idleConnectionsMax,
      key: client.key,
      cert: client.certificate,
      ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64') }),
      rejectUnauthorized: insecureSkipTLSVerify !== true,
    })
  }

  /** Rejects with Error where there is no answer in time, or one that is too large or no JSON. */
  async document(asked: DocumentRequest): Promise<DocumentAnswer> {
    const { path, accept, timeoutMs, bytesMax, etag } = asked
    const headers = { accept, ...(etag === undefined ? {} : { 'if-none-match': etag }) }
    const call = await this.request({ method: 'GET', path, headers, user: aggregatorUser })
    const timer = setTimeout(() => {
      call.destroy(new Error('context deadline exceeded'))
    }, timeoutMs)
    try {
      const { answer, bytes } = await received(call, bytesMax)
      const { statusCode = 0, headers: answered } = answer
      const isJson = statusCode === 200
      return {
        status: statusCode,
        etag: answered.etag ?? '',
        hash: createHash('sha256').update(bytes).digest('hex'),
        json: isJson ? (JSON.parse(bytes.toString('utf8')) as Json) : undefined,
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** `https://NAME.NAMESPACE.svc:PORT`, for texts. */
  get url(): string {
    const { namespace = '', name = '', port = 443 } = this.spec.service ?? {}
    return `https://${name}.${namespace}.svc:${port}`
  }

  /** Cuts off what is under way. */
  close(): void {
    this.#isClosed = true
    this.#agent?.destroy()
  }

  #address(): RemoteEndpoint {
    const { namespace = '', name = '', port = 443 } = this.spec.service ?? {}
    return this.#endpoints.ofService({ namespace, name, port })
  }
}

const received = (
  call: ClientRequest,
  bytesMax: number,
): Promise<{ readonly answer: IncomingMessage; readonly bytes: Buffer }> =>
  new Promise((resolve, reject) => {
    call.on('error', reject)
    // Also of one that goes on in another protocol, of which nobody tells otherwise.
    call.on('close', () => {
      reject(new Error('the connection was closed without an answer'))
    })
    call.on('response', (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > bytesMax) call.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ answer, bytes: Buffer.concat(chunks) })
      })
    })
    call.end()
  })
