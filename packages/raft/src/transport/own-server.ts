// The server of a transport that is given none: it answers nothing but upgrades, and gives nobody much time or memory to ask for one.
import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RaftError } from '../errors.ts'
import { incomingConnectionsMax } from './peer-listener.ts'
import { createPeerServer, type PeerTls } from './peer-tls.ts'
import { refusalText } from './refusal.ts'

/** Who has not said by then what it wants is cut off. */
const handshakeTimeoutMs = 5_000
const handshakeCheckMs = 1_000
const handshakeSizeBytesMax: number = 16 * 1024
/** Sockets, those that are no peer connections yet among them. */
const socketsMax: number = 2 * incomingConnectionsMax
const tlsFirstByte = 0x16

export interface OwnServerOptions {
  readonly tls: PeerTls | undefined
  readonly onRefused: (error: RaftError) => void
}

export function makeServer({ tls, onRefused }: OwnServerOptions): Server {
  const limits = {
    maxHeaderSize: handshakeSizeBytesMax,
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    handshakeTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: handshakeCheckMs,
  }
  const server =
    tls === undefined
      ? createServer(limits, (_request, response) => response.writeHead(404).end())
      : createPeerServer({ ...limits, tls, onRefused }, (_request, response) =>
          response.writeHead(404).end(),
        )
  server.maxConnections = socketsMax
  server.on('clientError', (error: Error & { rawPacket?: Buffer; code?: string }, socket) => {
    if (tls === undefined && error.rawPacket?.[0] === tlsFirstByte) {
      onRefused(new RaftError('UNTRUSTED', 'A peer speaks TLS, this member has no certificate'))
    }
    answerMalformed(socket, error.code)
  })
  return server
}

function answerMalformed(socket: Duplex, code: string | undefined): void {
  // Nothing can be said over a TLS connection that never came to be.
  if (!socket.writable || code?.startsWith('ERR_SSL_') || code?.startsWith('ERR_TLS_')) {
    socket.destroy()
    return
  }
  const status =
    code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  socket.end(refusalText(status, undefined))
}
