// The outgoing connection to one peer: kept up with back-off, fed from a bounded queue, watched with pings. What is queued when it breaks
// is lost; raft asks again.
import type { WebSocket } from 'ws'
import type { Message, NodeId } from '../core/types.ts'
import type { RaftError } from '../errors.ts'
import type { Clock, Random } from '../node/ports.ts'
import { encodeFrame } from './encode-frame.ts'
import { handshakeHeaders, messagesPath, type Identity } from './handshake.ts'
import { OutgoingQueue } from './outgoing-queue.ts'
import { connectPeer } from './peer-socket.ts'
import { protocolVersions, type ProtocolVersion } from './protocol-version.ts'

const backoffMinMs = 50
const backoffMaxMs = 2_000
const pingIntervalMs = 1_000
/** Without an answer for so long the connection counts as dead. */
const silenceMsMax = 5_000
/** Bytes that wait in the socket before more frames are made. */
const socketBytesMax = 1024 * 1024

export interface PeerLinkOptions {
  readonly identity: Identity
  readonly to: NodeId
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  /** Messages may have been lost. */
  readonly onUnreachable: () => void
  readonly onRefused: (error: RaftError) => void
}

export class PeerLink {
  readonly url: string
  readonly #options: PeerLinkOptions
  readonly #queue = new OutgoingQueue()
  #socket: WebSocket | undefined
  #isOpen = false
  #version: ProtocolVersion = protocolVersions.min
  #isPumpDue = false
  #backoffMs = backoffMinMs
  #cancelTimer: (() => void) | undefined
  #heardAt = 0
  #isClosed = false

  constructor(options: PeerLinkOptions) {
    this.url = options.url
    this.#options = options
    this.#connect()
  }

  send(message: Message): void {
    if (this.#isClosed) return
    // Not connected and not about to be: only news is worth sending later.
    const isTaken = this.#socket !== undefined && this.#queue.push(message)
    if (isTaken && !this.#isOpen) return
    this.#pumpSoon(!isTaken)
  }

  /** Everything sent in this turn shares a frame. */
  #pumpSoon(isLost: boolean): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    queueMicrotask(() => {
      this.#isPumpDue = false
      if (isLost && !this.#isClosed) this.#options.onUnreachable()
      this.#pump()
    })
  }

  #pump(): void {
    const socket = this.#socket
    if (socket === undefined || !this.#isOpen) return
    while (!this.#queue.isEmpty && socket.bufferedAmount < socketBytesMax) {
      const frame = encodeFrame(this.#queue.takeFrame(), this.#version)
      socket.send(frame, () => {
        // An error comes as the close of the socket too.
        if (this.#socket === socket && !this.#queue.isEmpty) this.#pump()
      })
    }
  }

  /** The peer is known to be up: do not wait for the next attempt. */
  hurry(): void {
    if (this.#isClosed || this.#socket !== undefined) return
    this.#cancelTimer?.()
    this.#connect()
  }

  #connect(): void {
    const { identity, to, url, clock } = this.#options
    const headers = handshakeHeaders(identity, to)
    let refusal: RaftError | undefined
    const onRefused = (error: RaftError): void => {
      refusal = error
    }
    const onOpen = (version: ProtocolVersion): void => {
      this.#isOpen = true
      this.#version = version
      this.#backoffMs = backoffMinMs
      this.#heardAt = clock.now()
      this.#watch(socket)
      this.#pump()
    }
    const socket = connectPeer({ url, path: messagesPath, headers, to, onOpen, onRefused })
    this.#socket = socket
    socket.on('pong', () => {
      this.#heardAt = clock.now()
    })
    socket.on('error', () => {
      // 'close' follows; that a peer is away is no news, that it refuses is.
      this.#isOpen = false
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#lost(refusal)
    })
  }

  #watch(socket: WebSocket): void {
    const { clock } = this.#options
    this.#cancelTimer = clock.setTimer(pingIntervalMs, () => {
      if (clock.now() - this.#heardAt > silenceMsMax) {
        socket.terminate()
        return
      }
      socket.ping()
      this.#watch(socket)
    })
  }

  #lost(refusal: RaftError | undefined): void {
    this.#socket = undefined
    this.#isOpen = false
    this.#cancelTimer?.()
    this.#queue.clear()
    if (this.#isClosed) return
    const { clock, random, onUnreachable, onRefused } = this.#options
    if (refusal !== undefined) this.#backoffMs = backoffMaxMs
    const waitMs = this.#backoffMs * (0.5 + random() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMaxMs)
    this.#cancelTimer = clock.setTimer(waitMs, () => {
      this.#connect()
    })
    if (refusal !== undefined) onRefused(refusal)
    onUnreachable()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#queue.clear()
    this.#socket?.terminate()
  }
}
