// Everything that goes to one peer: a bounded queue, and the connections that empty it, one for each lane or, with a version 1 peer, one
// for both.
import type { Message, NodeId } from '../core/types.ts'
import type { RaftError } from '../errors.ts'
import type { Clock, Random } from '../node/ports.ts'
import { handshakeHeaders, type Identity } from './handshake.ts'
import { laneLimits, laneOf, type Lane } from './lanes.ts'
import { OutgoingQueue } from './outgoing-queue.ts'
import { PeerConnection } from './peer-connection.ts'
import type { DialTls } from './peer-tls.ts'
import type { ProtocolVersion } from './protocol-version.ts'

const bothLanes: readonly Lane[] = ['control', 'bulk']

export interface PeerLinkOptions {
  readonly identity: Identity
  readonly to: NodeId
  readonly url: string
  /** What a new connection is made with. */
  readonly tls: () => DialTls | undefined
  readonly clock: Clock
  readonly random: Random
  readonly silenceMsMax: number
  /** Messages have a way, from now on or again. */
  readonly onConnected: () => void
  /** Messages may have been lost. */
  readonly onUnreachable: () => void
  readonly onRefused: (error: RaftError) => void
}

export class PeerLink {
  readonly url: string
  readonly #options: PeerLinkOptions
  readonly #queue = new OutgoingQueue()
  readonly #control: PeerConnection
  /** Undefined until the peer is known to speak version 2. */
  #bulk: PeerConnection | undefined
  #isPumpDue = false
  #isLossDue = false
  #isClosed = false

  constructor(options: PeerLinkOptions) {
    this.url = options.url
    this.#options = options
    this.#control = this.#connect('control')
  }

  #connect(lane: Lane): PeerConnection {
    const { identity, to, url, tls, clock, random, silenceMsMax, onUnreachable, onRefused } =
      this.#options
    return new PeerConnection({
      address: () => ({ url, to, tls: tls(), headers: handshakeHeaders(identity, to, lane) }),
      clock,
      random,
      silenceMsMax,
      socketBytesMax: laneLimits[lane].socketBytesMax,
      takeFrame: () => this.#queue.takeFrame(this.#lanesOf(lane)),
      onOpen: (version) => {
        if (lane !== 'control') return
        this.#opened(version)
        this.#options.onConnected()
      },
      onRefused,
      onLost: () => {
        this.#queue.clear(this.#lanesOf(lane))
        onUnreachable()
      },
    })
  }

  /** What goes over that connection. */
  #lanesOf(lane: Lane): readonly Lane[] {
    return lane === 'bulk' || this.#bulk !== undefined ? [lane] : bothLanes
  }

  #opened(version: ProtocolVersion): void {
    if (version > 1) {
      if (this.#bulk === undefined) this.#bulk = this.#connect('bulk')
      else this.#bulk.hurry()
      return
    }
    // It was newer once.
    this.#bulk?.close()
    this.#bulk = undefined
  }

  /** What is urgent leaves among the microtasks of this turn, the rest after them; all that is sent meanwhile shares a frame. */
  send(message: Message, isUrgent: boolean): void {
    if (this.#isClosed) return
    const connection = this.#connectionOf(laneOf(message))
    // Not connected and not about to be: only news is worth sending later.
    const isTaken = connection.isHopeful && this.#queue.push(message)
    if (!isTaken) this.#isLossDue = true
    if (!isTaken || connection.isOpen) this.#pumpSoon(isUrgent)
  }

  #connectionOf(lane: Lane): PeerConnection {
    return lane === 'bulk' && this.#bulk !== undefined ? this.#bulk : this.#control
  }

  #pumpSoon(isUrgent: boolean): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    const runSoon = isUrgent ? queueMicrotask : process.nextTick
    runSoon(() => {
      this.#isPumpDue = false
      if (this.#isClosed) return
      const isLost = this.#isLossDue
      this.#isLossDue = false
      if (isLost) this.#options.onUnreachable()
      this.#control.pump()
      this.#bulk?.pump()
    })
  }

  /** The peer is known to be up: do not wait for the next attempt. */
  hurry(): void {
    this.#control.hurry()
    this.#bulk?.hurry()
  }

  close(): void {
    this.#isClosed = true
    this.#control.close()
    this.#bulk?.close()
    this.#queue.clear(bothLanes)
  }
}
