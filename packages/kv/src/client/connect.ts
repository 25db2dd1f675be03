// Opens a client: finds out which wire the servers speak, and waits until one of them answers.
import { KvError } from '../errors.ts'
import type { Kv } from '../kv.ts'
import { AuthClient, type AuthClientOptions } from './auth-client.ts'
import { backOffMs, delay } from './back-off.ts'
import { Caller } from './caller.ts'
import type { CallerOptions } from './caller.ts'
import { ClusterClient } from './cluster-client.ts'
import { parseEndpoints } from './endpoint.ts'
import type { ClientTls, Endpoint } from './endpoint.ts'
import type { GrpcWire } from './grpc/grpc-wire.ts'
import { NativeWire } from './native/native-wire.ts'
import { signIn, type User } from './signed-in-wire.ts'
import { askOver, WireKv } from './wire-kv.ts'
import type { Wire } from './wire.ts'

export interface ConnectOptions {
  /** Any members of the cluster, `http://host:port` or `host:port`; the others and the leader are found by themselves on the native wire. */
  readonly endpoints: readonly string[] | string
  /** 'auto' (default): native where a server speaks it, else etcd's gRPC. */
  readonly protocol?: 'auto' | 'native' | 'grpc'
  /** How long connect() waits for a first server, and each later connection takes at most; 5 seconds if left out. */
  readonly connectTimeoutMs?: number
  /** How long a call may take, all its tries together; 10 seconds if left out. */
  readonly requestTimeoutMs?: number
  /**
   * Plain puts and deletes (without prevKv) are repeated also when the first try may have been applied. The key ends up the same;
   * a watcher may see the write twice, and another's write in between is written over. Off if left out.
   */
  readonly retryWrites?: boolean
  /** Signs in, and again whenever that is needed. A cluster that has no users in force takes it as well. */
  readonly user?: User
  /** Endpoints without a scheme are https then; for those of https without it the authorities of the system count. */
  readonly tls?: ClientTls
}

const connectTimeoutDefaultMs = 5000
const requestTimeoutDefaultMs = 10_000

/** Resolves when a server has answered; rejects with KvError TIMEOUT when none did in time. */
export async function connect(options: ConnectOptions): Promise<Kv> {
  return new WireKv(await connectWire(options), callerOptionsOf(options))
}

/** Users and roles alone, as `connect().auth`; tells the header of each reply. */
export async function connectAuth(
  options: ConnectOptions & AuthClientOptions,
): Promise<AuthClient> {
  const wire = await connectWire(options)
  const caller = new Caller(wire, callerOptionsOf(options))
  const close = (): Promise<void> => {
    caller.close()
    return wire.close()
  }
  const { onHeader } = options
  return new AuthClient(askOver(caller), { close, ...(onHeader === undefined ? {} : { onHeader }) })
}

/** To add, remove and change members. */
export async function connectCluster(options: ConnectOptions): Promise<ClusterClient> {
  return new ClusterClient(await connectWire(options), callerOptionsOf(options))
}

async function connectWire(options: ConnectOptions): Promise<Wire> {
  const endpoints = parseEndpoints(options.endpoints, options.tls !== undefined)
  const connectTimeoutMs = options.connectTimeoutMs ?? connectTimeoutDefaultMs
  const wire = await openWire(endpoints, options.protocol ?? 'auto', {
    connectTimeoutMs,
    tls: options.tls,
  })
  return signIn(wire, options.user)
}

function callerOptionsOf(options: ConnectOptions): CallerOptions {
  return {
    requestTimeoutMs: options.requestTimeoutMs ?? requestTimeoutDefaultMs,
    retryWrites: options.retryWrites ?? false,
  }
}

interface WireOptions {
  readonly connectTimeoutMs: number
  readonly tls: ClientTls | undefined
}

async function openWire(
  endpoints: readonly Endpoint[],
  protocol: 'auto' | 'native' | 'grpc',
  options: WireOptions,
): Promise<Wire> {
  if (protocol === 'grpc') return openGrpc(endpoints, options)
  const wire = new NativeWire(endpoints, options)
  const deadline = performance.now() + options.connectTimeoutMs
  for (let attempt = 0; ; attempt++) {
    try {
      if ((await wire.probe()) === 'native') return wire
    } catch (reason) {
      const waitMs = backOffMs(attempt)
      if (performance.now() + waitMs < deadline) {
        await delay(waitMs)
        continue
      }
      await wire.close()
      throw noneAnswered(endpoints, reason)
    }
    await wire.close()
    if (protocol === 'auto') return openGrpc(endpoints, options)
    const message = `no server at ${endpoints.join(', ')} speaks the native protocol`
    throw new KvError('UNIMPLEMENTED', { message })
  }
}

/** The wire that every server of etcd's family speaks, for what the native one does not carry. */
export async function connectGrpc(options: ConnectOptions): Promise<GrpcWire> {
  const wire = await openGrpc(parseEndpoints(options.endpoints, options.tls !== undefined), {
    connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutDefaultMs,
    tls: options.tls,
  })
  await signIn(wire, options.user)
  return wire
}

async function openGrpc(endpoints: readonly Endpoint[], options: WireOptions): Promise<GrpcWire> {
  // Loaded here: the gRPC library is most of the code of a client, and the native wire does without.
  const { GrpcWire } = await import('./grpc/grpc-wire.ts')
  const wire = new GrpcWire(endpoints, options)
  try {
    await wire.connect()
  } catch (reason) {
    await wire.close()
    throw noneAnswered(endpoints, reason)
  }
  return wire
}

function noneAnswered(endpoints: readonly Endpoint[], cause: unknown): KvError {
  const message = `no server answered at ${endpoints.join(', ')}`
  return new KvError('TIMEOUT', { message, cause })
}
