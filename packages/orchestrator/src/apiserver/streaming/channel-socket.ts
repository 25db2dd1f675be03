// Kubernetes' channels over a WebSocket: each binary message begins with the number of its channel. Each channel is a Duplex here. From v5 on
// the client can close a channel (byte 255 and its number); before that nothing but the end of the connection closes one.
import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** In our order of preference; what has no version is the first. */
export const channelProtocols: readonly string[] = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
]
const closeMark = 255
const channelBufferBytes = 128 * 1024
/** While more waits to be sent, writers wait. */
const sendBufferBytes = 1024 * 1024
const closeTimeoutMs = 5000
const normalClosure = 1000

export class ChannelSocket {
  readonly #socket: WebSocket
  readonly #canClose: boolean
  readonly #channels: readonly Channel[]
  /** Resolves when the connection is gone. Never rejects. */
  readonly closed: Promise<void>

  constructor(socket: WebSocket, protocol: string, count: number) {
    this.#socket = socket
    this.#canClose = protocol === 'v5.channel.k8s.io'
    this.#channels = Array.from({ length: count }, (_, number) => new Channel(this, number))
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const channel of this.#channels) channel.destroy()
        resolve()
      })
    })
    // Followed by 'close'.
    socket.on('error', () => undefined)
    socket.on('message', (message: Buffer, isBinary: boolean) => {
      this.#receive(isBinary ? message : Buffer.from(message))
    })
  }

  channel(number: number): Duplex {
    const channel = this.#channels[number]
    if (channel === undefined) throw new RangeError('there is no such channel')
    return channel
  }

  /** Everything is said: the client closes, or is cut off after a while. */
  end(): void {
    this.#socket.close(normalClosure)
    const timer = setTimeout(() => this.#socket.terminate(), closeTimeoutMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  send(number: number, bytes: Uint8Array, callback: (error?: Error | null) => void): void {
    const message = Buffer.allocUnsafe(bytes.length + 1)
    message[0] = number
    message.set(bytes, 1)
    const isFull = this.#socket.bufferedAmount > sendBufferBytes
    // A connection that broke tells by its 'close'.
    this.#socket.send(message, () => {
      if (isFull) callback()
    })
    if (!isFull) callback()
  }

  /** A channel can take more. */
  resume(): void {
    if (this.#channels.every((channel) => !channel.isFull)) this.#socket.resume()
  }

  #receive(message: Buffer): void {
    const number = message[0] ?? closeMark
    if (number === closeMark && this.#canClose) {
      this.#channels[message[1] ?? closeMark]?.push(null)
      return
    }
    const channel = this.#channels[number]
    if (channel === undefined || channel.destroyed || message.length === 1) return
    channel.isFull = !channel.push(message.subarray(1))
    if (channel.isFull) this.#socket.pause()
  }
}

class Channel extends Duplex {
  readonly #owner: ChannelSocket
  readonly #number: number
  isFull = false

  constructor(owner: ChannelSocket, number: number) {
    super({ highWaterMark: channelBufferBytes })
    this.#owner = owner
    this.#number = number
    this.on('error', () => undefined)
  }

  override _read(): void {
    if (!this.isFull) return
    this.isFull = false
    this.#owner.resume()
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#owner.send(this.#number, chunk, callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this._read()
    callback(error)
  }
}
