// Opens a WebSocket to a peer and turns a refusal in the handshake into the error that the peer gave.
import { WebSocket } from 'ws'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { refusalOf, versionOf } from './handshake.ts'
import { trustErrorOf, type DialTls } from './peer-tls.ts'
import type { ProtocolVersion } from './protocol-version.ts'

const handshakeTimeoutMs = 5_000
/** A peer answers with little on connections that we opened. */
const answerSizeBytesMax = 64 * 1024
const refusalSizeBytesMax = 4 * 1024

export interface PeerAddress {
  /** http(s) or ws(s). */
  readonly url: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly to: NodeId
  /** For https and wss. */
  readonly tls?: DialTls | undefined
  /** The connection is open; frames have this version. */
  readonly onOpen: (version: ProtocolVersion) => void
  /** Called before the socket closes, if the peer refused. */
  readonly onRefused: (error: RaftError) => void
}

/** Always ends with 'close'. */
export function connectPeer(peer: PeerAddress): WebSocket {
  const { url, path, headers, to, tls, onOpen, onRefused } = peer
  const target = new URL(url)
  target.protocol = /^(?:https|wss):$/.test(target.protocol) ? 'wss:' : 'ws:'
  target.pathname = target.pathname.replace(/\/$/, '') + path
  const socket = new WebSocket(target, {
    ...tls,
    headers,
    perMessageDeflate: false,
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: answerSizeBytesMax,
    // Masks protect the caches of old proxies. Members are no browsers, and with a mask of zeros nothing is copied.
    generateMask: (mask) => mask.fill(0),
  })
  socket.on('error', (error) => {
    const refusal = trustErrorOf(error, to)
    if (refusal !== undefined) onRefused(refusal)
  })
  let version: ProtocolVersion | RaftError | undefined
  socket.on('upgrade', (response) => {
    version = versionOf(response, to)
  })
  socket.on('open', () => {
    if (version instanceof RaftError) {
      onRefused(version)
      socket.terminate()
    } else if (version !== undefined) onOpen(version)
  })
  socket.on('unexpected-response', (_request, response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      if (body.length < refusalSizeBytesMax) body += text
    })
    response.once('end', () => {
      onRefused(refusalOf(response, to, body))
      socket.terminate()
    })
    response.once('error', () => {
      socket.terminate()
    })
  })
  return socket
}
