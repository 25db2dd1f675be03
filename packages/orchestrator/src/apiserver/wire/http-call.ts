// A request and what carries its answer, the same over HTTP/1.1 and HTTP/2. Nothing here knows what is asked or answered.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** As upstream's limit for request bodies. */
export const bodyBytesMax: number = 3 * 1024 * 1024

export type SentHeaders = Readonly<Record<string, string | number | readonly string[]>>

/** The connection of a request that asked to go on in another protocol. */
export interface UpgradedSocket {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What the client sent after the request already. */
  readonly head: Buffer
}

export interface HttpCall {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  /** Names in small letters; repeated ones are joined with `, `. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** '' when the client has gone. */
  readonly remoteAddress: string
  /** Of the answer, once it has begun. */
  readonly status: number
  readonly isStarted: boolean
  /** Called once, when the answer is complete or the client has gone. */
  onClose: () => void
  /** Called when more may be written. */
  onDrain: () => void
  /**
   * The whole body, held on behalf of `user` until the answer is complete. Rejects with ApiError RequestEntityTooLarge, TooManyRequests
   * when too many bodies are held, BadRequest when the client breaks off.
   */
  receive(user: string): Promise<Buffer>
  /** Reads the body to its end and drops it. */
  dropBody(): void
  /** A whole answer; without `body` its headers alone. */
  respond(status: number, headers: SentHeaders, body: Uint8Array | string | undefined): void
  /** The head of an answer, at once; write() and end() follow. */
  start(status: number, headers: SentHeaders): void
  /** false: wait for onDrain before writing more. The bytes must not change after it. */
  write(chunk: Uint8Array | string): boolean
  end(): void
  /** For an answer that has failed: the client must not take what it got for the whole. */
  destroy(): void
  /** Only of a request that asks for another protocol: from here on the connection is the caller's. */
  readonly takeSocket?: () => UpgradedSocket
}
