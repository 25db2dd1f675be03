// Reads entries back from the WAL for followers that need what the core has in memory no more. One read at a time per follower: of questions
// that come meanwhile (the leadership is another one by then) only the newest is answered.
import type { Entry, FetchRequest, LogIndex, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'

export interface EntryFetcherOptions {
  /** Throws RaftError COMPACTED for what is released. */
  readonly read: (from: LogIndex, sizeBytesMax: number) => Promise<readonly Entry[]>
  /** Undefined: they are gone. */
  readonly onFetched: (to: NodeId, entries: readonly Entry[] | undefined) => void
  /** The log cannot be read. */
  readonly onFailure: (reason: unknown) => void
}

export class EntryFetcher {
  readonly #options: EntryFetcherOptions
  /** The newest question of each follower with a read under way. */
  readonly #requests = new Map<NodeId, FetchRequest>()
  #reads = new Set<Promise<void>>()

  constructor(options: EntryFetcherOptions) {
    this.#options = options
  }

  fetch(request: FetchRequest): void {
    const isReading = this.#requests.has(request.to)
    this.#requests.set(request.to, request)
    if (isReading) return
    const read = this.#readNewest(request.to).catch(this.#options.onFailure)
    this.#reads.add(read)
    void read.then(() => this.#reads.delete(read))
  }

  async #readNewest(to: NodeId): Promise<void> {
    for (;;) {
      const request = this.#requests.get(to)
      if (request === undefined) return
      const entries = await this.#read(request)
      if (this.#requests.get(to) !== request) continue
      this.#requests.delete(to)
      this.#options.onFetched(to, entries)
    }
  }

  async #read({ from, sizeBytesMax }: FetchRequest): Promise<readonly Entry[] | undefined> {
    try {
      return await this.#options.read(from, sizeBytesMax)
    } catch (reason) {
      if (reason instanceof RaftError && reason.code === 'COMPACTED') return undefined
      throw reason
    }
  }

  /** Settles when nothing is being read. */
  async idle(): Promise<void> {
    await Promise.all(this.#reads)
  }
}
