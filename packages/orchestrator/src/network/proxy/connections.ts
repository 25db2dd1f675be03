// The connections that stand at all ports of a proxy: a limit for them, and their end with it.
import type { Duplex } from 'node:stream'

export class Connections {
  readonly #max: number
  readonly #standing = new Set<Duplex>()

  constructor(max: number) {
    this.#max = max
  }

  /** False: there are too many. */
  add(connection: Duplex): boolean {
    if (this.#standing.size >= this.#max) return false
    this.#standing.add(connection)
    connection.once('close', () => this.#standing.delete(connection))
    return true
  }

  destroyAll(): void {
    for (const connection of this.#standing) connection.destroy()
  }
}
