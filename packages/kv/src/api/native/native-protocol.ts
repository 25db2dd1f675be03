// The native wire as both ends know it: names, numbers and limits. docs/native-protocol.md describes the bytes.
import type { KvErrorCode } from '../../errors.ts'

export const nativePath = '/native'
export const nativeVersion = 1

/** The largest WebSocket message a server takes: a request of etcd's limit (1.5 MiB) and room for others beside it. */
export const requestFrameSizeBytesMax: number = 4 * 2 ** 20
/** The largest WebSocket message a client takes: one range reply is one message. */
export const replyFrameSizeBytesMax: number = 512 * 2 ** 20
/** A frame is closed and sent when it holds this much; one larger message travels alone. */
export const frameSizeBytesTarget: number = 2 ** 20
/** Messages in one frame. */
export const frameMessagesMax = 10_000
/** Requests of one connection whose reply has not left yet; more are refused with TOO_MANY_REQUESTS. */
export const requestsInFlightMax = 10_000
export const watchersPerConnectionMax = 100_000
export const connectionsMax = 10_000
/** Unsent bytes of a connection above which its watchers wait, and above which it is not read. */
export const watchBacklogSizeBytesMax: number = 2 ** 20
export const replyBacklogSizeBytesMax: number = 16 * 2 ** 20

/** WebSocket close codes beside the standard ones (1001 going away, 1003 text frame, 1009 frame too large). */
export const closeCode = { malformed: 4000, version: 4001, helloMissing: 4002 } as const

/** `id` 0: a message without an answer. */
export type ClientMessage =
  | readonly [id: 0, name: 'hello', version: number]
  | readonly [id: 0, name: 'watch', watchRequest: Uint8Array]
  /** UTF-8 of the auth token that holds for what follows. */
  | readonly [id: 0, name: 'token', token: Uint8Array]
  | readonly [id: number, method: string, request: Uint8Array]

export type ServerMessage =
  | readonly [
      id: 0,
      name: 'hello',
      version: number,
      clusterId: bigint,
      memberId: bigint,
      /** 0n: none is known. */
      leaderId: bigint,
      members: readonly (readonly [id: bigint, clientUrls: readonly string[]])[],
    ]
  | readonly [id: 0, name: 'watch', watchResponse: Uint8Array]
  | readonly [id: number, reply: Uint8Array]
  | readonly [id: number, code: KvErrorCode, message: string, compactRevision: number]
