// The connections of HTTP/2, looked at every second: one on which nothing was asked for long is ended, and when too many answers wait for their
// clients to read them, the connection with the most of them goes.

/** As upstream's, and as connections of HTTP/1.1 here. */
export const idleConnectionMs = 90_000
/** Answers that clients have not read yet, of all connections. */
const unreadBytesMax = 256 * 1024 * 1024
const sweepMs = 1000

export interface WatchedConnection {
  /** Requests under way. */
  readonly streamCount: number
  /** Of answers that wait. */
  readonly unread: { readonly count: number }
  /** Tells the client and ends when its answers are out. */
  shutDown(): void
  destroy(): void
}

interface Entry {
  /** Of performance.now(). */
  usedMs: number
  isEnding: boolean
}

export class ConnectionWatch {
  readonly #entries = new Map<WatchedConnection, Entry>()
  #isArmed = false

  add(connection: WatchedConnection): void {
    this.#entries.set(connection, { usedMs: performance.now(), isEnding: false })
    this.#arm()
  }

  /** A request begins. */
  used(connection: WatchedConnection): void {
    const entry = this.#entries.get(connection)
    if (entry !== undefined) entry.usedMs = performance.now()
  }

  remove(connection: WatchedConnection): void {
    this.#entries.delete(connection)
  }

  /** For tests: looks as if it was `nowMs`. */
  sweep(nowMs: number): void {
    let unread = 0
    for (const [connection, entry] of this.#entries) {
      unread += connection.unread.count
      if (connection.streamCount > 0) entry.usedMs = nowMs
      else if (nowMs - entry.usedMs < idleConnectionMs) continue
      else if (entry.isEnding) connection.destroy()
      else {
        entry.isEnding = true
        connection.shutDown()
      }
    }
    if (unread > unreadBytesMax) this.#dropUnread(unread)
  }

  #dropUnread(unread: number): void {
    const connections = [...this.#entries.keys()]
    connections.sort((one, other) => other.unread.count - one.unread.count)
    let left = unread
    for (const connection of connections) {
      if (left <= unreadBytesMax) return
      left -= connection.unread.count
      connection.destroy()
    }
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    setTimeout(() => {
      this.#isArmed = false
      this.sweep(performance.now())
      if (this.#entries.size > 0) this.#arm()
    }, sweepMs).unref()
  }
}
