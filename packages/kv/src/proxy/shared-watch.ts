// One watch at the members for all clients that watch the same from now on. It goes on after a broken connection where it stood, so
// clients do not notice; what the members refuse, all of them are told.
import { KvError } from '../errors.ts'
import { decodeWatchResponse, encodeWatchRequest } from '../proto/index.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import type { Upstream, UpstreamStream } from './upstream.ts'

const path = '/etcdserverpb.Watch/Watch'
const retryDelaysMs = [50, 100, 200, 500, 1000] as const

/** One client's watch. */
export interface Watching {
  /** The watch stands, and every event after `revision` will come. */
  created(revision: WatchResponse): void
  /** Events, or none: the members' word that everything up to the header's revision was told. */
  told(response: WatchResponse): void
  /** Called once: the members ended it. */
  canceled(response: WatchResponse): void
}

export class SharedWatch {
  readonly #upstream: Upstream
  readonly #request: WatchCreateRequest
  readonly #token: string
  readonly #onOver: () => void
  readonly #watching = new Set<Watching>()
  #stream: UpstreamStream | undefined
  #created: WatchResponse | undefined
  #nextRevision: number
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /** `onOver` is called once, when nobody is left or the members ended it. */
  constructor(
    upstream: Upstream,
    request: WatchCreateRequest,
    options: { readonly token: string; readonly onOver: () => void },
  ) {
    this.#upstream = upstream
    this.#request = request
    this.#token = options.token
    this.#onOver = options.onOver
    this.#nextRevision = request.startRevision
    this.#connect()
  }

  /** Everything before it was told. */
  get nextRevision(): number {
    return this.#nextRevision
  }

  get watchingCount(): number {
    return this.#watching.size
  }

  add(watching: Watching): void {
    this.#watching.add(watching)
    const created = this.#created
    if (created === undefined) return
    // Those that come later begin behind what was told so far.
    const header = { ...created.header, revision: this.#nextRevision - 1 }
    watching.created({ ...created, header })
  }

  remove(watching: Watching): void {
    if (this.#watching.delete(watching) && this.#watching.size === 0) this.close()
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#stream?.cancel()
    this.#onOver()
  }

  #connect(): void {
    const stream = this.#upstream.stream(path, this.#token, {
      message: (body) => this.#heard(decodeWatchResponse(body)),
      ended: (error) => this.#lost(error),
    })
    this.#stream = stream
    const startRevision = this.#nextRevision
    // Told often how far the members are, it can go on from there.
    const request = { ...this.#request, startRevision, progressNotify: true, watchId: 0 }
    stream.write(encodeWatchRequest({ type: 'create', request }))
  }

  #heard(response: WatchResponse): void {
    if (this.#isOver) return
    this.#failures = 0
    if (response.canceled) this.#end(response)
    else if (response.created) {
      if (this.#nextRevision === 0) this.#nextRevision = response.header.revision + 1
      if (this.#created !== undefined) return
      this.#created = response
      for (const watching of this.#watching) watching.created(response)
    } else {
      const { revision } = response.header
      if (!response.fragment) this.#nextRevision = Math.max(this.#nextRevision, revision + 1)
      for (const watching of this.#watching) watching.told(response)
    }
  }

  #end(response: WatchResponse): void {
    const watching = [...this.#watching]
    this.#watching.clear()
    this.close()
    for (const each of watching) each.canceled(response)
  }

  #lost(error: KvError | undefined): void {
    if (this.#isOver) return
    if (this.#created === undefined && this.#failures >= retryDelaysMs.length) {
      const { message } = error ?? new KvError('CONNECTION_LOST')
      this.#end({ ...canceledResponse, created: true, cancelReason: message })
      return
    }
    const delayMs = retryDelaysMs[Math.min(this.#failures++, retryDelaysMs.length - 1)]
    this.#timer = setTimeout(() => this.#connect(), delayMs)
  }
}

/** Of a watch that never was. */
export const canceledResponse: WatchResponse = {
  header: { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 },
  watchId: -1,
  created: false,
  canceled: true,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
  events: [],
}
