// The listening side: upgrades on the two peer paths, each checked before it becomes a connection. Works on a server of its own or beside
// other handlers on one that is given.
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, TransportHandler } from '../node/ports.ts'
import { decodeFrame } from './decode-frame.ts'
import {
  checkHandshake,
  messagesPath,
  protocolHeader,
  refusalHeader,
  snapshotPath,
  type Sender,
  type Identity,
} from './handshake.ts'
import { receiveSnapshotStream } from './snapshot-receiver.ts'

/** One frame; larger than any the core makes with payloads of the allowed size. */
const frameSizeBytesMax: number = 64 * 1024 * 1024
export const incomingConnectionsMax = 256

export interface PeerListenerOptions {
  readonly identity: Identity
  readonly server: Server
  /** Nobody else serves upgrades there, so that unknown paths are answered. */
  readonly isOwnServer: boolean
  readonly clock: Clock
  readonly handler: TransportHandler
  readonly onRefused: (error: RaftError) => void
  readonly onConnected: (from: NodeId) => void
}

export class PeerListener {
  readonly #options: PeerListenerOptions
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: frameSizeBytesMax,
    clientTracking: true,
  })
  readonly #senders = new WeakMap<IncomingMessage, Sender>()
  /** The message connection of each peer; a new one takes the place of the old. */
  readonly #peers = new Map<NodeId, WebSocket>()
  readonly #onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void

  constructor(options: PeerListenerOptions) {
    this.#options = options
    this.#onUpgrade = (request, socket, head) => {
      this.#upgrade(request, socket, head)
    }
    options.server.on('upgrade', this.#onUpgrade)
    this.#sockets.on('headers', (headers, request) => {
      const sender = this.#senders.get(request)
      if (sender !== undefined) headers.push(`${protocolHeader}: ${sender.version}`)
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { identity, isOwnServer, handler, onRefused } = this.#options
    const path = (request.url ?? '').split('?')[0] ?? ''
    const isMessages = path.endsWith(messagesPath)
    if (!isMessages && !path.endsWith(snapshotPath)) {
      if (isOwnServer) answer(socket, 404, undefined)
      return
    }
    const sender = checkHandshake(request, identity)
    if (sender instanceof RaftError) {
      answer(socket, 412, sender)
      onRefused(sender)
      return
    }
    const { generation } = sender
    if (this.#sockets.clients.size >= incomingConnectionsMax) {
      const text = `Member ${identity.id} has ${incomingConnectionsMax} peer connections already`
      answer(socket, 503, new RaftError('OVERLOADED', text))
      return
    }
    const isJoining = identity.generation !== undefined && identity.generation() === undefined
    if (isJoining && generation !== undefined) handler.joined?.(generation)
    this.#senders.set(request, sender)
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {
        webSocket.terminate()
      })
      if (isMessages) this.#serve(webSocket, sender)
      else receiveSnapshotStream(webSocket, { ...sender, ...this.#options })
    })
  }

  #serve(socket: WebSocket, { from, version }: Sender): void {
    const { identity, handler, onConnected, onRefused } = this.#options
    this.#peers.get(from)?.terminate()
    this.#peers.set(from, socket)
    socket.on('close', () => {
      if (this.#peers.get(from) === socket) this.#peers.delete(from)
    })
    const address = { from, to: identity.id }
    socket.on('message', (data) => {
      try {
        if (!Buffer.isBuffer(data)) throw new MalformedBytesError('a frame is in pieces')
        for (const message of decodeFrame(data, address, version)) handler.message(message)
      } catch (reason) {
        if (!(reason instanceof MalformedBytesError)) throw reason
        onRefused(new RaftError('VERSION_MISMATCH', `Member ${from} sent a malformed frame`))
        socket.close(1002, 'malformed frame')
      }
    })
    onConnected(from)
  }

  close(): void {
    this.#options.server.off('upgrade', this.#onUpgrade)
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#sockets.close()
  }
}

function answer(socket: Duplex, status: number, error: RaftError | undefined): void {
  const body = `${error?.message ?? 'No such path'}\n`
  const refusal = error === undefined ? '' : `${refusalHeader}: ${error.code}\r\n`
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  // The peer may be gone already.
  socket.on('error', () => {
    socket.destroy()
  })
  socket.end(`${head}${refusal}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
