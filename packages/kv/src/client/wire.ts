// The port between the Kv a program uses and a way to reach a cluster: protobuf bytes of etcd's messages go out and come back. Two
// implementations: native/native-wire.ts and grpc/grpc-wire.ts.
import { KvError } from '../errors.ts'
import { decodeWatchResponse } from '../proto/index.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'

/** Service and method of etcd's API. */
export type WireMethod =
  | 'KV/Range'
  | 'KV/Put'
  | 'KV/DeleteRange'
  | 'KV/Txn'
  | 'KV/Compact'
  | 'Lease/LeaseGrant'
  | 'Lease/LeaseRevoke'
  | 'Lease/LeaseKeepAlive'
  | 'Lease/LeaseTimeToLive'
  | 'Lease/LeaseLeases'
  | `Cluster/${string}`
  | `Maintenance/${string}`
  | `Auth/${string}`
  | `Quota/${string}`

export type StreamMethod = 'Maintenance/Snapshot' | 'KV/RangeStream'
export type StreamCall = (
  method: StreamMethod,
  body: Uint8Array,
  signal: AbortSignal | undefined,
) => AsyncIterable<Uint8Array>

/** As gRPC names it. */
export function methodPath(method: string): string {
  return method.startsWith('Quota/') ? `/balsapb.${method}` : `/etcdserverpb.${method}`
}

export interface AttemptOptions {
  readonly signal: AbortSignal | undefined
  /** How long to wait for a connection and the answer together. */
  readonly timeoutMs: number
  /** Ask this one and no other. */
  readonly endpoint: string | undefined
}

export interface Wire {
  /** One try, at one server. Rejects with AttemptError. */
  attempt(method: WireMethod, body: Uint8Array, options: AttemptOptions): Promise<Uint8Array>
  /** One question and any number of answers, no faster than they are taken; the end of the loop ends it. Throws AttemptError. */
  readonly stream?: StreamCall | undefined
  /** Opens a stream of watchers at whatever server can be reached; rejects with AttemptError. */
  openWatchChannel(events: WatchChannelEvents): Promise<WatchChannel>
  /** Shown with every request from now on; '': none. */
  setToken(token: string): void
  close(): Promise<void>
}

/** A server's stream of watchers. The answers to `create` come in the order of the calls. */
export interface WatchChannel {
  create(request: WatchCreateRequest): void
  cancel(watchId: number): void
  /** One answer for the whole stream, with -1 as its id. */
  progress(): void
  close(): void
}
export interface WatchChannelEvents {
  response(response: WatchResponse): void
  /** Called once when the stream broke, not after close(). `reason`: the server sent what cannot be read. */
  lost(reason?: KvError): void
}

/** Hands over what a server sent; what cannot be read is returned as the error that ends the stream. */
export function readWatchResponse(
  body: Uint8Array,
  events: WatchChannelEvents,
): KvError | undefined {
  try {
    events.response(decodeWatchResponse(body))
    return undefined
  } catch (cause) {
    const message = 'balsa: the server sent a watch response that cannot be read'
    return new KvError('MALFORMED', { message, cause })
  }
}

/** Why a try failed, and whether the server may have acted on it. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'
  readonly error: KvError
  readonly mayBeApplied: boolean

  constructor(error: KvError, mayBeApplied: boolean) {
    super(error.message, { cause: error })
    this.error = error
    this.mayBeApplied = mayBeApplied
  }
}
