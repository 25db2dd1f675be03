// One outgoing connection for messages to a peer: kept up with back-off, watched with pings. What is queued for it when it breaks is lost;
// raft asks again.
import type { WebSocket } from 'ws'
import type { Message } from '../core/types.ts'
import type { RaftError } from '../errors.ts'
import type { Clock, Random } from '../node/ports.ts'
import { encodeFrame } from './encode-frame.ts'
import { messagesPath } from './handshake.ts'
import { connectPeer, type PeerAddress } from './peer-socket.ts'
import { protocolVersions, type ProtocolVersion } from './protocol-version.ts'

const backoffMinMs = 50
const backoffMaxMs = 2_000
const pingIntervalMs = 1_000

export interface PeerConnectionOptions {
  /** Made anew for every attempt: what it says may change. */
  readonly address: () => Omit<PeerAddress, 'path' | 'onOpen' | 'onRefused'>
  readonly clock: Clock
  readonly random: Random
  /** Without an answer or progress for so long the connection counts as dead. */
  readonly silenceMsMax: number
  readonly socketBytesMax: number
  /** What the next frame carries; empty if there is nothing to send. */
  readonly takeFrame: () => readonly Message[]
  readonly onOpen: (version: ProtocolVersion) => void
  readonly onRefused: (error: RaftError) => void
  /** Whatever was queued for it is to be dropped. */
  readonly onLost: () => void
}

export class PeerConnection {
  readonly #options: PeerConnectionOptions
  #socket: WebSocket | undefined
  #isOpen = false
  #version: ProtocolVersion = protocolVersions.min
  #backoffMs = backoffMinMs
  #cancelTimer: (() => void) | undefined
  #heardAt = 0
  #isClosed = false

  constructor(options: PeerConnectionOptions) {
    this.#options = options
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Connected or about to be: what is queued now may get there. */
  get isHopeful(): boolean {
    return this.#socket !== undefined
  }

  pump(): void {
    const socket = this.#socket
    if (socket === undefined || !this.#isOpen) return
    const { socketBytesMax, takeFrame, clock } = this.#options
    while (socket.bufferedAmount < socketBytesMax) {
      const messages = takeFrame()
      if (messages.length === 0) return
      const frame = encodeFrame(messages, this.#version)
      if (frame.length === 0) continue
      let isWaiting = false
      socket.send(frame, (error) => {
        // An error comes as the close of the socket too.
        if (this.#socket !== socket || (error !== undefined && error !== null)) return
        // The peer's system had to make room for it, although the answer to a ping may be far behind.
        if (isWaiting) this.#heardAt = clock.now()
        this.pump()
      })
      isWaiting = socket.bufferedAmount > 0
    }
  }

  /** The peer is known to be up: do not wait for the next attempt. */
  hurry(): void {
    if (this.#isClosed || this.#socket !== undefined) return
    this.#cancelTimer?.()
    this.#connect()
  }

  #connect(): void {
    const { address, clock, onOpen } = this.#options
    let refusal: RaftError | undefined
    const socket = connectPeer({
      ...address(),
      path: messagesPath,
      onOpen: (version) => {
        this.#isOpen = true
        this.#version = version
        this.#backoffMs = backoffMinMs
        this.#heardAt = clock.now()
        this.#watch(socket)
        onOpen(version)
        this.pump()
      },
      onRefused: (error) => {
        refusal = error
      },
    })
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
    const { clock, silenceMsMax } = this.#options
    const intervalMs = Math.min(pingIntervalMs, silenceMsMax / 2)
    this.#cancelTimer = clock.setTimer(intervalMs, () => {
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
    if (this.#isClosed) return
    const { clock, random, onLost, onRefused } = this.#options
    if (refusal !== undefined) this.#backoffMs = backoffMaxMs
    const waitMs = this.#backoffMs * (0.5 + random() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMaxMs)
    this.#cancelTimer = clock.setTimer(waitMs, () => {
      this.#connect()
    })
    if (refusal !== undefined) onRefused(refusal)
    onLost()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#socket?.terminate()
  }
}
