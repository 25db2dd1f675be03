// The members behind the gRPC proxy: calls are spread over them in turn, and one that never left goes to the next member.
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import type { ChannelCredentials, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { KvError } from '../errors.ts'
import type { GrpcStatus } from '../errors.ts'
import type { GiveUp, Reply } from '../api/services/index.ts'

export interface UpstreamOptions {
  /** http://host:port or https://host:port. */
  readonly endpoints: readonly string[]
  /** PEM texts. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly insecureSkipVerify: boolean
}

/** A member's refusal, handed on as it came. */
export class UpstreamError extends KvError {
  readonly #status: GrpcStatus

  constructor(status: GrpcStatus, message: string) {
    super('INTERNAL', { message })
    this.#status = status
  }

  override get grpcStatus(): GrpcStatus {
    return this.#status
  }
}

export interface UpstreamEvents {
  message(body: Uint8Array): void
  /** Called once, unless it was canceled. */
  ended(error: KvError | undefined): void
}

export interface UpstreamStream {
  write(body: Uint8Array): void
  /** Nothing more will be written. */
  end(): void
  cancel(): void
  pause(): void
  resume(): void
}

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.use_local_subchannel_pool': 1,
}
/** grpc-js says so when it never had a connection to send on. */
const neverSent = /^No connection established/
/** As grpc-js counts the states of a channel. */
const connectivity = { ready: 2, transientFailure: 3 } as const
type Call = ClientDuplexStream<Uint8Array, Uint8Array>
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
const asIs = (bytes: Buffer): Uint8Array => bytes

export class Upstream {
  readonly #clients: readonly Client[]
  #turn = 0

  constructor(options: UpstreamOptions) {
    this.#clients = options.endpoints.map((endpoint) => {
      const { host, protocol } = new URL(endpoint)
      const isTls = protocol === 'https:'
      return new Client(
        host,
        isTls ? secure(options) : credentials.createInsecure(),
        channelOptions,
      )
    })
  }

  unary(path: string, body: Uint8Array, token: string, reply: Reply): GiveUp {
    let cancel: () => void = () => undefined
    let left = this.#clients.length
    const attempt = (): void => {
      left--
      const call = this.#next().makeUnaryRequest<Uint8Array, Uint8Array>(
        path,
        asBuffer,
        asIs,
        body,
        metadataOf(token),
        (error, answer) => {
          if (error === null) reply(undefined, answer ?? new Uint8Array(0))
          else if (left > 0 && neverSent.test(error.details)) attempt()
          else reply(errorOf(error), undefined)
        },
      )
      cancel = () => call.cancel()
    }
    attempt()
    return () => cancel()
  }

  stream(path: string, token: string, events: UpstreamEvents): UpstreamStream {
    const open = (): Call =>
      this.#next().makeBidiStreamRequest(path, asBuffer, asIs, metadataOf(token))
    return new RetryingStream(open, events, this.#clients.length)
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  /** In turn those that are connected, else those that may come to be. */
  #next(): Client {
    const { ready, transientFailure } = connectivity
    const states = this.#clients.map((client) => client.getChannel().getConnectivityState(true))
    const isBest = states.includes(ready)
      ? (state: number | undefined): boolean => state === ready
      : (state: number | undefined): boolean => state !== transientFailure
    const best = this.#clients.filter((_client, i) => isBest(states[i]))
    const from = best.length === 0 ? this.#clients : best
    const client = from[this.#turn++ % from.length]
    if (client === undefined) throw new KvError('NO_LEADER')
    return client
  }
}

/** A stream that is opened at another member if it never got to one. */
class RetryingStream implements UpstreamStream {
  readonly #open: () => Call
  readonly #events: UpstreamEvents
  #call: Call
  #left: number
  /** What was written so far, until something comes back; undefined from then on. */
  #sent: Uint8Array[] | undefined = []
  #isEnded = false
  #isOver = false

  constructor(open: () => Call, events: UpstreamEvents, attempts: number) {
    this.#open = open
    this.#events = events
    this.#left = attempts
    this.#call = this.#start()
  }

  write(body: Uint8Array): void {
    this.#sent?.push(body)
    this.#call.write(body)
  }

  end(): void {
    this.#isEnded = true
    this.#call.end()
  }

  cancel(): void {
    this.#isOver = true
    this.#call.cancel()
  }

  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  #start(): Call {
    this.#left--
    const call = this.#open()
    call.on('data', (body: Uint8Array) => {
      this.#sent = undefined
      if (!this.#isOver) this.#events.message(body)
    })
    call.on('error', (error: ServiceError) => this.#failed(error))
    call.on('end', () => {
      if (call === this.#call) this.#finish(undefined)
    })
    return call
  }

  #failed(error: ServiceError): void {
    const sent = this.#sent
    if (sent === undefined || this.#left <= 0 || !neverSent.test(error.details)) {
      this.#finish(errorOf(error))
    } else if (!this.#isOver) {
      this.#call = this.#start()
      for (const body of sent) this.#call.write(body)
      if (this.#isEnded) this.#call.end()
    }
  }

  #finish(error: KvError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.ended(error)
  }
}

function secure({ tls, insecureSkipVerify }: UpstreamOptions): ChannelCredentials {
  const [ca, key, cert] = [tls.ca, tls.key, tls.cert].map((text) => {
    return text === undefined ? null : Buffer.from(text)
  })
  const rejectUnauthorized = !insecureSkipVerify
  return credentials.createSsl(ca ?? null, key ?? null, cert ?? null, { rejectUnauthorized })
}

function metadataOf(token: string): Metadata {
  const metadata = new Metadata()
  if (token !== '') metadata.set('token', token)
  return metadata
}

function errorOf({ code, details }: ServiceError): KvError {
  return new UpstreamError(code as number as GrpcStatus, details)
}
