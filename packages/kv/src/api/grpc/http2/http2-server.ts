// Who serves a connection, and under which rules.
import type { Duplex } from 'node:stream'
import type { Limits } from '../../../limits.ts'
import type { Http2Stream, StreamHandler } from './http2-stream.ts'
import type { HeaderMeaning } from './request-decoder.ts'
import type { UnreadBytes } from './stream-sender.ts'

export interface Http2Server<H> extends HeaderMeaning<H> {
  /** Serves a new stream. */
  open(stream: Http2Stream, headers: H): StreamHandler
}

export interface Http2ConnectionOptions<H> {
  readonly socket: Duplex
  readonly server: Http2Server<H>
  readonly nowMs: () => number
  readonly limits?: Readonly<Limits>
  /** Shared by all connections of a server. */
  readonly unreadBytes?: UnreadBytes
  /** Of one request, counted as RFC 9113 does. */
  readonly headerListSizeMax?: number
  /** Clients may ping as often as they like: gRPC's rules do not hold. */
  readonly arePingsFree?: boolean
  /** Answers leave at the end of the task that makes them, not of the turn. */
  readonly isPrompt?: boolean
  /** Called once when the connection is gone. */
  readonly onClosed: () => void
}
