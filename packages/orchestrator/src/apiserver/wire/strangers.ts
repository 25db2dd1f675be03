// Connections of which nobody knows yet whose they are: no certificate was shown that counts and no request came that says who sends it. They are
// cheap to open, so there are only so many: with one too many the oldest of them goes.
import type { Socket } from 'node:net'

/** Each costs some 50 KB. */
const strangersMax = 2000

export class Strangers {
  readonly #max: number
  readonly #sockets = new Map<string, Socket>()

  constructor(max: number = strangersMax) {
    this.#max = max
  }

  add(socket: Socket): void {
    const key = keyOf(socket)
    this.#sockets.set(key, socket)
    socket.once('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
    })
    if (this.#sockets.size <= this.#max) return
    for (const [oldest, { destroyed }] of this.#sockets) {
      this.#sockets.get(oldest)?.destroy()
      this.#sockets.delete(oldest)
      if (!destroyed) return
    }
  }

  /** It is known whose it is. `socket`: the connection or its TLS. */
  remove(socket: Socket): void {
    this.#sockets.delete(keyOf(socket))
  }
}

/** The same of a connection and of its TLS. */
const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`
