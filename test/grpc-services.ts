// Every service of etcd's API through the usual gRPC library and our proto files.
import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

export type Reply = Record<string, unknown>
export interface ServiceCallError {
  readonly code: number
  readonly details: string
}

const files = ['rpc.proto', 'v3lock.proto', 'v3election.proto', 'health.proto']
const folder = fileURLToPath(new URL('../packages/kv/proto/', import.meta.url))

/** `keepCase`, 64-bit numbers as text, enums by name, bytes as Buffers. */
function loadServices(): Record<string, grpc.ServiceClientConstructor> {
  const definition = loadSync(files, {
    includeDirs: [folder],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  })
  const {
    etcdserverpb,
    v3lockpb,
    v3electionpb,
    grpc: standard,
  } = grpc.loadPackageDefinition(definition) as unknown as Record<
    string,
    Record<string, grpc.ServiceClientConstructor>
  > & {
    grpc: { health: { v1: Record<string, grpc.ServiceClientConstructor> } }
  }
  return { ...etcdserverpb, ...v3lockpb, ...v3electionpb, ...standard.health.v1 }
}

export class GrpcServices implements Disposable {
  readonly #clients = new Map<string, grpc.Client>()

  constructor(
    url: string,
    credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
  ) {
    const host = url.replace(/^https?:\/\//, '')
    for (const [name, Service] of Object.entries(loadServices())) {
      if (typeof Service === 'function' && 'service' in Service) {
        this.#clients.set(name, new Service(host, credentials))
      }
    }
  }

  /** The names of all services that have at least one method. */
  get names(): string[] {
    return [...this.#clients.keys()].sort()
  }

  /** 'KV.Range' and all others, in order. */
  get methods(): string[] {
    return [...this.#clients]
      .flatMap(([name, client]) => {
        const { service } = client.constructor as grpc.ServiceClientConstructor
        return Object.keys(service).map((method) => `${name}.${method}`)
      })
      .sort()
  }

  /** `method` is 'KV.Range'. Rejects with ServiceCallError. */
  unary(
    method: string,
    request: object = {},
    metadata: grpc.Metadata = new grpc.Metadata(),
    signal?: AbortSignal,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const call = this.#method(method)(
        request,
        metadata,
        (error: grpc.ServiceError | null, reply: Reply) => {
          if (error === null) resolve(reply)
          else reject(error)
        },
      ) as grpc.ClientUnaryCall
      signal?.addEventListener('abort', () => call.cancel(), { once: true })
    })
  }

  /** Server-side streams: sends the request at once. */
  serverStream(
    method: string,
    request: object = {},
    metadata: grpc.Metadata = new grpc.Metadata(),
  ): grpc.ClientReadableStream<Reply> {
    return this.#method(method)(request, metadata) as grpc.ClientReadableStream<Reply>
  }

  stream(
    method: string,
    metadata: grpc.Metadata = new grpc.Metadata(),
  ): grpc.ClientDuplexStream<object, Reply> {
    return this.#method(method)(metadata) as grpc.ClientDuplexStream<object, Reply>
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close()
  }

  #method(name: string): (...args: unknown[]) => unknown {
    const [service = '', method = ''] = name.split('.')
    const client = this.#clients.get(service)
    const calls = client as unknown as Record<string, (...args: unknown[]) => unknown> | undefined
    const call = calls?.[method]
    if (client === undefined || call === undefined) throw new RangeError(`no method ${name}`)
    return call.bind(client)
  }
}
