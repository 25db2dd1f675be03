// HTTP/2 for servers, without the weight: `@balsa/kv/http2`. One Http2Connection for each socket; whoever serves brings an Http2Server
// that gives every stream a StreamHandler.
export { defaultLimits } from '../../../limits.ts'
export { encodeHeaderBlock } from '../hpack/header-block.ts'
export type { HeaderField } from '../hpack/static-table.ts'
export { HeaderCache } from './header-cache.ts'
export { Http2Connection } from './http2-connection.ts'
export type { Http2Server } from './http2-server.ts'
export { http2ErrorCode } from './http2-protocol.ts'
export type { Http2Stream, StreamHandler } from './http2-stream.ts'
export { requestFields } from './request-fields.ts'
