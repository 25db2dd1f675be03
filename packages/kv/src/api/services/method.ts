// A method of an etcd service, told apart from the wires that carry it: protobuf bytes in, protobuf bytes out. gRPC and the JSON
// gateway both serve the same list.
import { KvError } from '../../errors.ts'
import type { Credentials, Done, MemberApi } from '../../member/types.ts'
import type { MessageName } from '../../proto/index.ts'

/** Called exactly once. */
export type Reply = (error: KvError | undefined, body: Uint8Array | undefined) => void

/** The wire's end of a streaming call. */
export interface ReplyStream {
  /** False: the wire is full; RequestStream.writable() says when it is not. */
  send(body: Uint8Array): boolean
  /** Ends the call; ignored when it has ended. */
  end(error: KvError | undefined): void
}

/** The service's end of a streaming call. */
export interface RequestStream {
  message(body: Uint8Array): void
  /** The client sends no more; it may still read. */
  halfClosed(): void
  writable(): void
  /** The call is over, however it ended: release everything. Called once. */
  closed(): void
}

interface MethodNames {
  /** /etcdserverpb.KV/Range */
  readonly path: string
  /** Paths of the JSON gateway, below /v3. */
  readonly routes: readonly string[]
  readonly request: MessageName
  readonly response: MessageName
}
/** Who is asked, as one caller may use it: a member, or a proxy of several. */
export interface Served<Self> {
  as(credentials: Credentials): Self
  /** 0n: none is known. */
  leader(): bigint
}
/** A method may throw KvError instead of replying with it. */
export interface UnaryMethod<Asked = MemberApi> extends MethodNames {
  readonly kind: 'unary'
  /** A call that may wait long returns what gives it up when its caller has gone. */
  call(member: Asked, body: Uint8Array, reply: Reply): GiveUp | void
}
export type GiveUp = () => void
export interface StreamMethod<Asked = MemberApi> extends MethodNames {
  readonly kind: 'stream'
  open(member: Asked, out: ReplyStream): RequestStream
}
export type Method<Asked = MemberApi> = UnaryMethod<Asked> | StreamMethod<Asked>

/**
 * For a call that takes several steps, as a client of the store would: `work` gets a signal that says when its caller has gone. Failures
 * keep their text, but have status Unknown, as those of etcd's Lock and Election services.
 */
export function replyLater(
  reply: Reply,
  work: (signal: AbortSignal) => Promise<Uint8Array>,
): GiveUp {
  const gone = new AbortController()
  const run = async (): Promise<void> => {
    let body: Uint8Array
    try {
      body = await work(gone.signal)
    } catch (reason) {
      const { message } = KvError.from(reason)
      reply(new KvError('INTERNAL', { message, cause: reason }), undefined)
      return
    }
    reply(undefined, body)
  }
  void run()
  return () => gone.abort()
}

/** Turns a member's answer into a reply. */
export function encodeReply<T>(reply: Reply, encode: (result: T) => Uint8Array): Done<T> {
  return (error, result) => {
    if (error !== undefined || result === undefined) reply(error, undefined)
    else reply(undefined, encode(result))
  }
}
