// Names and numbers of RFC 9113, and the error that ends a stream or a connection.

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const frameFlag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  concurrentStreamsMax: 3,
  initialWindowSize: 4,
  frameSizeMax: 5,
  headerListSizeMax: 6,
} as const

export const http2ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
} as const
export type Http2ErrorCode = (typeof http2ErrorCode)[keyof typeof http2ErrorCode]

export const frameHeaderSize = 9
export const windowSizeMax = 0x7fff_ffff
export const defaultWindowSize = 65_535
export const defaultFrameSizeMax = 16_384
export const defaultHeaderTableSize = 4096
export const connectionPreface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** The peer broke the protocol: stream 0 ends the connection with GOAWAY, another one that stream with RST_STREAM. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error'
  readonly code: Http2ErrorCode
  readonly streamId: number

  constructor(code: Http2ErrorCode, message: string, streamId = 0) {
    super(message)
    this.code = code
    this.streamId = streamId
  }
}

export function protocolError(message: string): Http2Error {
  return new Http2Error(http2ErrorCode.protocolError, message)
}

export function frameSizeError(message: string): Http2Error {
  return new Http2Error(http2ErrorCode.frameSizeError, message)
}
