// The sending end of a snapshot's connection: says what it stands for, sends the bytes after those that the receiver has, and waits until
// they are on its disk. Both ends give up when the other is silent for too long.
import type { RawData, WebSocket } from 'ws'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { Clock, SnapshotStream, StreamPosition } from '../node/ports.ts'
import { handshakeHeaders, snapshotPath, type Identity } from './handshake.ts'
import { connectPeer } from './peer-socket.ts'
import type { DialTls } from './peer-tls.ts'
import { isOldMembership, type ProtocolVersion } from './protocol-version.ts'
import {
  chunkFrameSizeBytesMax,
  encodeHeading,
  endText,
  parsePosition,
  snapshotSilenceMsMax,
  storedText,
} from './snapshot-frames.ts'
import { Watchdog } from './watchdog.ts'

export interface SnapshotSend {
  readonly identity: Identity
  readonly to: NodeId
  readonly url: string
  readonly tls: DialTls | undefined
  readonly clock: Clock
  readonly onRefused: (error: RaftError) => void
  /** Lets the transport break off the stream when it closes. */
  readonly onSocket: (socket: WebSocket) => void
}

/** Resolves when the receiver has the snapshot on disk. */
export function sendSnapshotStream(send: SnapshotSend, stream: SnapshotStream): Promise<void> {
  return new SnapshotSender(send, stream).run()
}

/** What the other end says, as it comes. */
interface Answers {
  readonly opened: Promise<ProtocolVersion>
  readonly asked: Promise<StreamPosition>
  /** With the reason that it gives. */
  readonly closed: Promise<string>
}

class SnapshotSender {
  readonly #send: SnapshotSend
  readonly #stream: SnapshotStream
  readonly #socket: WebSocket
  readonly #watchdog: Watchdog
  readonly #answers: Answers
  #refusal: RaftError | undefined
  #isStored = false

  constructor(send: SnapshotSend, stream: SnapshotStream) {
    this.#send = send
    this.#stream = stream
    let onOpen: (version: ProtocolVersion) => void = () => {}
    const opened = new Promise<ProtocolVersion>((resolve) => {
      onOpen = resolve
    })
    const { identity, to, url, tls, clock, onRefused, onSocket } = send
    this.#socket = connectPeer({
      url,
      path: snapshotPath,
      headers: handshakeHeaders(identity, to),
      to,
      tls,
      onOpen,
      onRefused: (error) => {
        this.#refusal = error
        onRefused(error)
      },
    })
    onSocket(this.#socket)
    this.#watchdog = new Watchdog({
      clock,
      silenceMsMax: snapshotSilenceMsMax,
      onSilence: () => {
        this.#socket.terminate()
      },
    })
    this.#answers = { opened, ...this.#listen() }
  }

  #listen(): Omit<Answers, 'opened'> {
    let onAsked: (position: StreamPosition) => void = () => {}
    const asked = new Promise<StreamPosition>((resolve) => {
      onAsked = resolve
    })
    this.#socket.on('message', (data, isBinary) => {
      this.#watchdog.heard()
      const text = isBinary ? '' : textOf(data)
      const position = parsePosition(text)
      if (position !== undefined) {
        onAsked(position)
        return
      }
      this.#isStored ||= text === storedText
      this.#socket.close()
    })
    const closed = new Promise<string>((resolve) => {
      this.#socket.on('error', () => {
        this.#watchdog.stop()
      })
      this.#socket.on('close', (_code, reason) => {
        resolve(reason.toString())
      })
    })
    return { asked, closed }
  }

  async run(): Promise<void> {
    const { to } = this.#send
    const { opened, closed } = this.#answers
    try {
      const gone = closed.then(() => undefined)
      const version = await Promise.race([opened, gone])
      const position = version === undefined ? undefined : await this.#begin(version)
      if (position !== undefined) await this.#sendFrom(position)
      const reason = await closed
      if (this.#isStored) return
      const text = reason === '' ? 'the connection broke' : reason
      throw (
        this.#refusal ?? new RaftError('TIMEOUT', `Member ${to} did not take the snapshot: ${text}`)
      )
    } finally {
      this.#watchdog.stop()
      this.#socket.terminate()
    }
  }

  /** Where the receiver wants to go on; undefined if it wants nothing. */
  async #begin(version: ProtocolVersion): Promise<StreamPosition | undefined> {
    const { meta } = this.#stream
    if (version === 1 && !isOldMembership(meta.membership)) {
      const { to, onRefused } = this.#send
      const text = `Member ${to} speaks protocol 1, which knows no witnesses: upgrade member ${to} first`
      const error = new RaftError('VERSION_MISMATCH', text)
      onRefused(error)
      throw error
    }
    await this.#sendFrame(encodeHeading(this.#stream, version))
    if (version === 1) return { offset: 0, checksum: 0 }
    const { asked, closed } = this.#answers
    return await Promise.race([asked, closed.then(() => undefined)])
  }

  /** Stops early, without an error, when the socket closes. */
  async #sendFrom(position: StreamPosition): Promise<void> {
    let sizeBytes = position.offset
    let isSent = true
    for await (const chunk of this.#stream.chunks(position)) {
      for (let at = 0; at < chunk.length && isSent; at += chunkFrameSizeBytesMax) {
        const part = chunk.subarray(at, at + chunkFrameSizeBytesMax)
        isSent = await this.#sendFrame(part)
        sizeBytes += part.length
      }
      if (!isSent) return
    }
    await this.#sendFrame(endText(sizeBytes))
  }

  /** Resolves when the system has taken it, false if the connection is gone. */
  #sendFrame(data: Uint8Array | string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#socket.send(data, (error) => {
        this.#watchdog.heard()
        resolve(error === undefined || error === null)
      })
    })
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : ''
}
