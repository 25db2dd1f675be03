// etcd's own gRPC to a Balsa or an etcd cluster. The library carries the bytes; the messages are made and read by the same codec as on
// every other wire, so nothing here knows what a call means.
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js'
import { grpcStatus, KvError } from '../../errors.ts'
import { encodeWatchRequest } from '../../proto/index.ts'
import type { WatchRequest } from '../../proto/index.ts'
import { parseEndpoint } from '../endpoint.ts'
import type { ClientTls, Endpoint } from '../endpoint.ts'
import { AttemptError, methodPath, readWatchResponse } from '../wire.ts'
import type {
  AttemptOptions,
  StreamMethod,
  WatchChannel,
  WatchChannelEvents,
  Wire,
  WireMethod,
} from '../wire.ts'
import { toAttemptError } from './grpc-errors.ts'

export interface GrpcWireOptions {
  readonly tls: ClientTls | undefined
  readonly connectTimeoutMs: number
}

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1000,
  // A channel of its own for each client, so that closing one does not reach another.
  'grpc.use_local_subchannel_pool': 1,
}
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
const asIs = (bytes: Buffer): Uint8Array => bytes

export class GrpcWire implements Wire {
  readonly #endpoints: readonly Endpoint[]
  readonly #options: GrpcWireOptions
  readonly #clients = new Map<Endpoint, Client>()
  /** The endpoint that is asked; moves on when it fails. */
  #current = 0
  #token = ''

  constructor(endpoints: readonly Endpoint[], options: GrpcWireOptions) {
    this.#endpoints = endpoints
    this.#options = options
  }

  /** Resolves when one endpoint has a connection; rejects when none has in time. */
  async connect(): Promise<void> {
    const deadline = Date.now() + this.#options.connectTimeoutMs
    const ready = this.#endpoints.map(async (endpoint, index) => {
      await new Promise<void>((resolve, reject) => {
        this.#client(endpoint).waitForReady(deadline, (error) => {
          if (error === undefined) resolve()
          else reject(error)
        })
      })
      this.#current = index
    })
    await Promise.any(ready)
  }

  attempt(method: WireMethod, body: Uint8Array, options: AttemptOptions): Promise<Uint8Array> {
    const { endpoint, signal } = options
    const target =
      endpoint === undefined
        ? this.#endpoint()
        : parseEndpoint(endpoint, this.#options.tls !== undefined)
    const answer =
      method === 'Lease/LeaseKeepAlive'
        ? this.#callOnStream(target, method, body, options)
        : this.#call(target, method, body, options)
    return answer.catch((reason: unknown) => {
      const error =
        reason instanceof AttemptError ? reason : toAttemptError(reason as ServiceError, signal)
      if (error.error.grpcStatus === grpcStatus.unavailable && target === this.#endpoint())
        this.#current++
      throw error
    })
  }

  async *stream(
    method: StreamMethod,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array> {
    const call = this.#client(this.#endpoint()).makeServerStreamRequest<Uint8Array, Uint8Array>(
      methodPath(method),
      asBuffer,
      asIs,
      body,
      this.#metadata(),
    )
    const onAbort = (): void => call.cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for await (const answer of call) yield answer as Uint8Array
    } catch (reason) {
      throw toAttemptError(reason as ServiceError, signal)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      call.cancel()
    }
  }

  openWatchChannel(events: WatchChannelEvents): Promise<WatchChannel> {
    const endpoint = this.#endpoint()
    const stream = this.#client(endpoint).makeBidiStreamRequest<Uint8Array, Uint8Array>(
      methodPath('Watch/Watch'),
      asBuffer,
      asIs,
      this.#metadata(),
    )
    let isOver = false
    const lose = (reason?: KvError): void => {
      if (isOver) return
      isOver = true
      if (endpoint === this.#endpoint()) this.#current++
      events.lost(reason)
    }
    stream.on('data', (body: Uint8Array) => {
      const malformed = isOver ? undefined : readWatchResponse(body, events)
      if (malformed === undefined) return
      stream.cancel()
      lose(malformed)
    })
    stream.on('error', () => lose())
    stream.on('end', () => lose())
    const send = (request: WatchRequest): void => {
      if (!isOver) stream.write(encodeWatchRequest(request))
    }
    return Promise.resolve({
      create: (request) => send({ type: 'create', request }),
      cancel: (watchId) => send({ type: 'cancel', watchId }),
      progress: () => send({ type: 'progress' }),
      close: () => {
        isOver = true
        stream.cancel()
      },
    })
  }

  setToken(token: string): void {
    this.#token = token
  }

  close(): Promise<void> {
    for (const client of this.#clients.values()) client.close()
    this.#clients.clear()
    return Promise.resolve()
  }

  #metadata(): Metadata {
    const metadata = new Metadata()
    if (this.#token !== '') metadata.set('token', this.#token)
    return metadata
  }

  #endpoint(): Endpoint {
    return this.#endpoints[this.#current % this.#endpoints.length] ?? ''
  }

  #client(endpoint: Endpoint): Client {
    const known = this.#clients.get(endpoint)
    if (known !== undefined) return known
    const url = new URL(endpoint)
    const client = new Client(`${url.hostname}:${portOf(endpoint)}`, this.#credentials(url), {
      ...channelOptions,
    })
    this.#clients.set(endpoint, client)
    return client
  }

  #credentials(url: URL): ChannelCredentials {
    if (url.protocol === 'http:') return credentials.createInsecure()
    const { ca, cert, key, ...verify } = this.#options.tls ?? {}
    return credentials.createSsl(pem(ca), pem(key), pem(cert), verify)
  }

  #call(
    endpoint: Endpoint,
    method: WireMethod,
    body: Uint8Array,
    { signal, timeoutMs }: AttemptOptions,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => call.cancel()
      const call = this.#client(endpoint).makeUnaryRequest<Uint8Array, Uint8Array>(
        methodPath(method),
        asBuffer,
        asIs,
        body,
        this.#metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, reply) => {
          signal?.removeEventListener('abort', onAbort)
          if (error !== null) reject(error)
          else resolve(reply ?? new Uint8Array(0))
        },
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** One question and one answer on a stream of their own: etcd renews leases no other way. */
  #callOnStream(
    endpoint: Endpoint,
    method: WireMethod,
    body: Uint8Array,
    { signal, timeoutMs }: AttemptOptions,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = this.#client(endpoint).makeBidiStreamRequest<Uint8Array, Uint8Array>(
        methodPath(method),
        asBuffer,
        asIs,
        this.#metadata(),
        { deadline: Date.now() + timeoutMs },
      )
      const onAbort = (): void => stream.cancel()
      signal?.addEventListener('abort', onAbort, { once: true })
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      stream.on('data', (reply: Uint8Array) => {
        done()
        resolve(reply)
        stream.cancel()
      })
      stream.on('error', (error) => {
        done()
        reject(error)
      })
      stream.on('end', () => {
        done()
        reject(new AttemptError(new KvError('CONNECTION_LOST'), true))
      })
      stream.write(body)
    })
  }
}

/** URL leaves a scheme's own port out. */
function portOf(endpoint: Endpoint): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1)
}

function pem(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text)
}
