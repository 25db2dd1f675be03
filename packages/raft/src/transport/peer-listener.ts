// The listening side: upgrades on the two peer paths, each checked before it becomes a connection. Works on a server of its own or beside
// other handlers on one that is given. A peer has one connection of each kind: a new one takes the place of the old.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, TransportHandler } from '../node/ports.ts'
import {
  checkHandshake,
  messagesPath,
  protocolHeader,
  snapshotPath,
  type Identity,
  type Sender,
} from './handshake.ts'
import { receiveMessages } from './incoming-messages.ts'
import { laneLimits } from './lanes.ts'
import { checkPeer, type PeerTls } from './peer-tls.ts'
import { refusalText } from './refusal.ts'
import { chunkFrameSizeBytesMax } from './snapshot-frames.ts'
import { receiveSnapshotStream } from './snapshot-receiver.ts'

export const incomingConnectionsMax = 256

export interface PeerListenerOptions {
  readonly identity: Identity
  readonly server: Server
  /** What is believed now; undefined where peers need no certificates. */
  readonly tls: () => PeerTls | undefined
  /** Nobody else serves upgrades there, so that unknown paths are answered. */
  readonly isOwnServer: boolean
  readonly clock: Clock
  readonly silenceMsMax: number
  readonly handler: TransportHandler
  readonly onRefused: (error: RaftError) => void
  readonly onConnected: (from: NodeId) => void
}

type Kind = 'control' | 'bulk' | 'snapshot'

export class PeerListener {
  readonly #options: PeerListenerOptions
  readonly #servers: Readonly<Record<Kind, WebSocketServer>>
  readonly #senders = new WeakMap<IncomingMessage, Sender>()
  readonly #connections = new Map<string, WebSocket>()
  readonly #onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void

  constructor(options: PeerListenerOptions) {
    this.#options = options
    this.#servers = {
      control: this.#makeServer(laneLimits.control.frameSizeBytesMax),
      bulk: this.#makeServer(laneLimits.bulk.frameSizeBytesMax),
      snapshot: this.#makeServer(chunkFrameSizeBytesMax),
    }
    this.#onUpgrade = (request, socket, head) => {
      this.#upgrade(request, socket, head)
    }
    options.server.on('upgrade', this.#onUpgrade)
  }

  #makeServer(maxPayload: number): WebSocketServer {
    const server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload,
      clientTracking: true,
    })
    server.on('headers', (headers, request) => {
      const sender = this.#senders.get(request)
      if (sender !== undefined) headers.push(`${protocolHeader}: ${sender.version}`)
    })
    return server
  }

  get #connectionCount(): number {
    const servers = Object.values(this.#servers)
    return servers.reduce((count, { clients }) => count + clients.size, 0)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { identity, isOwnServer, handler, onRefused } = this.#options
    const path = (request.url ?? '').split('?')[0] ?? ''
    const isMessages = path.endsWith(messagesPath)
    if (!isMessages && !path.endsWith(snapshotPath)) {
      if (isOwnServer) answer(socket, 404, undefined)
      return
    }
    const sender = this.#check(request)
    if (sender instanceof RaftError) {
      answer(socket, 412, sender)
      onRefused(sender)
      return
    }
    const { from, lane, generation } = sender
    // A version 1 peer sends everything on one connection: the limits are those of bulk data.
    const kind: Kind = isMessages ? (lane ?? 'bulk') : 'snapshot'
    const key = `${isMessages ? (lane ?? 'both') : 'snapshot'} ${from}`
    if (!this.#connections.has(key) && this.#connectionCount >= incomingConnectionsMax) {
      const text = `Member ${identity.id} has ${incomingConnectionsMax} peer connections already`
      answer(socket, 503, new RaftError('OVERLOADED', text))
      return
    }
    const isJoining = identity.generation !== undefined && identity.generation() === undefined
    if (isJoining && generation !== undefined) handler.joined?.(generation)
    this.#senders.set(request, sender)
    this.#servers[kind].handleUpgrade(request, socket, head, (webSocket) => {
      this.#serve(webSocket, sender, { key, isMessages })
    })
  }

  #check(request: IncomingMessage): Sender | RaftError {
    const { identity, tls } = this.#options
    const sender = checkHandshake(request, identity)
    const trusted = tls()
    if (sender instanceof RaftError || trusted === undefined) return sender
    return checkPeer(trusted, sender.from, request.socket) ?? sender
  }

  #serve(
    socket: WebSocket,
    sender: Sender,
    { key, isMessages }: { readonly key: string; readonly isMessages: boolean },
  ): void {
    this.#connections.get(key)?.terminate()
    this.#connections.set(key, socket)
    socket.on('error', () => {
      socket.terminate()
    })
    socket.on('close', () => {
      if (this.#connections.get(key) === socket) this.#connections.delete(key)
    })
    if (!isMessages) {
      receiveSnapshotStream(socket, { ...sender, ...this.#options })
      return
    }
    receiveMessages(socket, { ...sender, ...this.#options, to: this.#options.identity.id })
    this.#options.onConnected(sender.from)
  }

  close(): void {
    this.#options.server.off('upgrade', this.#onUpgrade)
    for (const server of Object.values(this.#servers)) {
      for (const socket of server.clients) socket.terminate()
      server.close()
    }
  }
}

function answer(socket: Duplex, status: number, error: RaftError | undefined): void {
  // The peer may be gone already.
  socket.on('error', () => {
    socket.destroy()
  })
  socket.end(refusalText(status, error))
}
