// The Transport of real clusters: WebSockets over HTTP. Each member connects to each other one and sends on its own connections only, one
// for each lane; snapshots go on connections of their own.
import type { Server } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { WebSocket } from 'ws'
import type { Message, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { nodeClock, nodeRandom } from '../node/clock-node.ts'
import type { SnapshotStream, Transport, TransportHandler } from '../node/ports.ts'
import type { Identity } from './handshake.ts'
import { PeerLink } from './peer-link.ts'
import { makeServer } from './own-server.ts'
import { PeerListener } from './peer-listener.ts'
import { dialOptions, peerServerOptions, type DialTls, type PeerTls } from './peer-tls.ts'
import { sendSnapshotStream } from './snapshot-sender.ts'

const hostDefault = '127.0.0.1'
const silenceMsMaxDefault = 5_000
/** A peer that is refused comes again and again; the same refusal is told once in this time. */
const refusalRepeatMs = 60_000
const refusalsRememberedMax = 64

export interface WsTransportOptions {
  readonly id: NodeId
  readonly clusterId: string
  /** Peers show certificates to each other, listening and connecting; their addresses begin with https. */
  readonly tls?: PeerTls
  /** An HTTP server, with `tls` one of createPeerServer(), whose upgrades on /raft/ are ours; whoever gives it listens and closes. */
  readonly server?: Server
  /** Without `server`: where to listen; loopback and a free port if left out. */
  readonly listen?: { readonly host?: string; readonly port: number }
  /** A connection on which nothing was heard for so long counts as dead; 5 s if left out. */
  readonly silenceMsMax?: number
  /** A peer, or we at a peer, were refused: wrong cluster, member, protocol or certificate. The same text at most once a minute. */
  readonly onRefused?: (error: RaftError) => void
}

export interface WsTransport extends Transport {
  /** New certificates for connections that are made from now on; a server that was given gets its own from its owner. */
  reloadTls(tls: PeerTls): void
  /** Where the own server listens, after start(). */
  address(): AddressInfo | undefined
}

/** Not listening and not connected until start(). */
export function createWsTransport(options: WsTransportOptions): WsTransport {
  return new WebSocketTransport(options)
}

class WebSocketTransport implements WsTransport {
  readonly #options: WsTransportOptions
  readonly #identity: Identity
  readonly #server: Server
  readonly #silenceMsMax: number
  #tls: PeerTls | undefined
  readonly #links = new Map<NodeId, PeerLink>()
  readonly #streams = new Set<WebSocket>()
  /** When each refusal was told last. */
  readonly #refusals = new Map<string, number>()
  #peers: ReadonlyMap<NodeId, string> = new Map()
  #handler: TransportHandler | undefined
  #listener: PeerListener | undefined
  #isClosed = false

  constructor(options: WsTransportOptions) {
    this.#options = options
    this.#identity = {
      id: options.id,
      clusterId: options.clusterId,
      generation: () => {
        const handler = this.#handler
        return handler?.generation === undefined ? 0 : handler.generation()
      },
    }
    this.#silenceMsMax = options.silenceMsMax ?? silenceMsMaxDefault
    this.#tls = options.tls
    this.#server =
      options.server ??
      makeServer({
        tls: options.tls,
        onRefused: (error) => {
          this.#refused(error)
        },
      })
  }

  async start(handler: TransportHandler): Promise<void> {
    const isOwnServer = this.#options.server === undefined
    this.#handler = handler
    this.#listener = new PeerListener({
      identity: this.#identity,
      server: this.#server,
      tls: () => this.#tls,
      isOwnServer,
      clock: nodeClock,
      silenceMsMax: this.#silenceMsMax,
      handler,
      onRefused: (error) => {
        this.#refused(error)
      },
      // It is up: no need to wait with our own connection.
      onConnected: (from) => this.#links.get(from)?.hurry(),
    })
    if (isOwnServer) await this.#listen()
    this.#connect()
  }

  #listen(): Promise<void> {
    const { host = hostDefault, port = 0 } = this.#options.listen ?? {}
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  address(): AddressInfo | undefined {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address : undefined
  }

  reloadTls(tls: PeerTls): void {
    const isOwn = this.#options.server === undefined
    if (isOwn && this.#server instanceof HttpsServer) {
      this.#server.setSecureContext(peerServerOptions(tls))
    }
    this.#tls = tls
  }

  #refused(error: RaftError): void {
    if (this.#isClosed) return
    const now = nodeClock.now()
    const toldAt = this.#refusals.get(error.message)
    if (toldAt !== undefined && now - toldAt < refusalRepeatMs) return
    if (this.#refusals.size >= refusalsRememberedMax) this.#refusals.clear()
    this.#refusals.set(error.message, now)
    this.#options.onRefused?.(error)
  }

  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#peers = peers
    if (this.#handler !== undefined) this.#connect()
  }

  #connect(): void {
    if (this.#isClosed) return
    for (const [id, link] of this.#links) {
      if (this.#peers.get(id) === link.url) continue
      link.close()
      this.#links.delete(id)
    }
    for (const [to, url] of this.#peers) {
      if (to === this.#identity.id || this.#links.has(to)) continue
      const error = this.#checkAddress(to, url)
      if (error === undefined) this.#links.set(to, this.#link(to, url))
      else this.#refused(error)
    }
  }

  #checkAddress(to: NodeId, url: string): RaftError | undefined {
    if (this.#tls === undefined || /^(?:https|wss):/.test(url)) return undefined
    const text = `The address of member ${to} is ${url}, but members of this cluster speak TLS: want https`
    return new RaftError('UNTRUSTED', text)
  }

  #dialTls(to: NodeId): DialTls | undefined {
    return this.#tls === undefined ? undefined : dialOptions(this.#tls, to)
  }

  #link(to: NodeId, url: string): PeerLink {
    return new PeerLink({
      identity: this.#identity,
      to,
      url,
      tls: () => this.#dialTls(to),
      clock: nodeClock,
      random: nodeRandom,
      silenceMsMax: this.#silenceMsMax,
      onConnected: () => this.#handler?.connected?.(to),
      onUnreachable: () => this.#handler?.unreachable(to),
      onRefused: (error) => {
        this.#refused(error)
      },
    })
  }

  send(messages: readonly Message[]): void {
    // To wake up a peer costs the system 25 us and more. The first one may make the quorum with the sync of the same Ready, which is under
    // way before the others get theirs.
    for (const [i, message] of messages.entries()) {
      this.#links.get(message.to)?.send(message, i === 0)
    }
  }

  async sendSnapshot(to: NodeId, stream: SnapshotStream): Promise<void> {
    const url = this.#peers.get(to)
    if (url === undefined || this.#isClosed) {
      throw new RaftError('CLOSED', `There is no way to member ${to}`)
    }
    const error = this.#checkAddress(to, url)
    if (error !== undefined) throw error
    const opened: WebSocket[] = []
    const send = {
      identity: this.#identity,
      to,
      url,
      tls: this.#dialTls(to),
      clock: nodeClock,
      onRefused: (error: RaftError) => {
        this.#refused(error)
      },
      onSocket: (socket: WebSocket) => {
        opened.push(socket)
        this.#streams.add(socket)
      },
    }
    try {
      await sendSnapshotStream(send, stream)
    } finally {
      for (const socket of opened) this.#streams.delete(socket)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const link of this.#links.values()) link.close()
    for (const socket of this.#streams) socket.terminate()
    this.#listener?.close()
    if (this.#options.server !== undefined || !this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
      this.#server.closeAllConnections()
    })
  }
}
