// A watcher of a scene: what it hears is checked like that of any other, and kept for the test to look at.
import type { WatchCreateRequest, WatchResponse } from '../../proto/messages.ts'
import type { WatchStream } from '../../watch/types.ts'
import { watchName, WatchedHistory } from '../checkers/watches.ts'
import type { SimCluster } from '../sim-cluster.ts'
import type { SimMember } from '../sim-member.ts'

export class SceneWatch {
  readonly responses: WatchResponse[] = []
  readonly #history: WatchedHistory
  readonly #cluster: SimCluster
  #stream: WatchStream | undefined
  /** While it is full, nothing is taken after the next answer. */
  isFull = false

  constructor(cluster: SimCluster, member: SimMember, request: WatchCreateRequest) {
    this.#cluster = cluster
    this.#history = new WatchedHistory(watchName(0, request), cluster.history, request)
    this.open(member)
  }

  /** Begins anew, at another member perhaps, where it was. */
  open(member: SimMember): void {
    const { api } = member
    if (api === undefined) throw new Error(`${member.name} is down`)
    member.reach(() => {
      const stream = api.openWatchStream({ send: (response) => this.#send(stream, response) })
      this.#stream = stream
      stream.create(this.#history.request)
    })
  }

  get events(): number {
    return this.#history.events
  }

  /** Where it would go on. */
  get next(): number {
    return this.#history.next
  }

  /** Nothing that it wants is left out. */
  get isUpToDate(): boolean {
    return this.#history.missing() === undefined
  }

  get bookmarks(): readonly number[] {
    return this.responses.filter(({ watchId }) => watchId === -1).map((r) => r.header.revision)
  }

  requestProgress(): void {
    this.#stream?.requestProgress()
  }

  /** The wire has room again. */
  drain(): void {
    this.isFull = false
    this.#stream?.resume()
  }

  #send(stream: WatchStream, response: WatchResponse): boolean {
    this.#cluster.check(() => {
      if (this.#stream !== stream) return
      this.responses.push(response)
      if (response.created) this.#history.created(response)
      else if (response.canceled) this.#history.compacted(response.compactRevision)
      else if (response.watchId === -1) this.#history.bookmark(response.header.revision)
      else this.#history.heard(response)
    })
    return !this.isFull
  }
}
