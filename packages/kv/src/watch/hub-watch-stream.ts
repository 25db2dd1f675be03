// One client stream over the hub: numbers its watchers, answers in the order of the requests, splits large responses if asked to,
// and holds events back while the wire is full.
import type {
  EncodedEvent,
  ResponseHeader,
  WatchCreateRequest,
  WatchResponse,
} from '../proto/messages.ts'
import type { WatchSink, WatchStream } from './types.ts'
import type { WatchHub } from './watch-hub.ts'
import { Watcher, watchRange, type EventTarget } from './watcher.ts'

/** etcd's largest request and 512 KiB of overhead: a response with `fragment` is split above it. */
export const fragmentSizeBytesMax: number = 1.5 * 2 ** 20 + 512 * 2 ** 10
/** Answers about the stream as a whole, or about no watcher. */
const noWatchId = -1
/** Ids of watches that compaction ended, of one stream; the oldest is forgotten first. */
const compactedIdsMax = 1_000

export class HubWatchStream implements WatchStream, EventTarget {
  readonly #hub: WatchHub
  readonly #sink: WatchSink
  readonly #header: (revision: number) => ResponseHeader
  readonly #onClose: () => void
  readonly #watchers = new Map<number, Watcher>()
  /** As in etcd they stay taken until the client cancels them, which is answered. */
  readonly #compactedIds = new Set<number>()
  #nextId = 0
  #isProgressWanted = false
  #isClosed = false
  isBlocked = false

  constructor(
    hub: WatchHub,
    sink: WatchSink,
    options: { header: (revision: number) => ResponseHeader; onClose?: () => void },
  ) {
    this.#hub = hub
    this.#sink = sink
    this.#header = options.header
    this.#onClose = options.onClose ?? ((): void => undefined)
  }

  create(request: WatchCreateRequest): void {
    if (this.#isClosed) return
    const reason = this.#refusal(request)
    if (reason !== undefined) {
      this.refuse(reason)
      return
    }
    const id = request.watchId === 0 ? this.#takeId() : request.watchId
    const fromNow = this.#hub.revision + 1
    const next = request.startRevision === 0 ? fromNow : request.startRevision
    const watcher = new Watcher(id, this, request, next)
    this.#watchers.set(id, watcher)
    this.#answer(this.#hub.revision, { watchId: id, created: true })
    this.#hub.add(watcher)
  }

  /** Answers a request for a watch that is not made. */
  refuse(cancelReason: string): void {
    const refused = { watchId: noWatchId, created: true, canceled: true, cancelReason }
    this.#answer(this.#hub.revision, refused)
  }

  cancel(watchId: number): void {
    const watcher = this.#watchers.get(watchId)
    const isCompacted = this.#compactedIds.delete(watchId)
    if (watcher === undefined && !isCompacted) return
    this.#watchers.delete(watchId)
    if (watcher !== undefined) this.#hub.remove(watcher)
    this.#answer(this.#hub.revision, { watchId, canceled: true })
    this.#maybeSendProgress()
  }

  requestProgress(): void {
    this.#isProgressWanted = true
    this.#maybeSendProgress()
  }

  resume(): void {
    if (!this.isBlocked || this.#isClosed) return
    this.isBlocked = false
    this.#maybeSendProgress()
    this.#hub.resumed()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const watcher of this.#watchers.values()) this.#hub.remove(watcher)
    this.#watchers.clear()
    this.#onClose()
  }

  sendEvents(watcher: Watcher, events: readonly EncodedEvent[], revision: number): void {
    const watchId = watcher.id
    const parts = watcher.fragment ? splitEvents(events) : [events]
    for (const [i, part] of parts.entries()) {
      this.#answer(revision, { watchId, events: part, fragment: i < parts.length - 1 })
    }
  }

  sendCompacted(watcher: Watcher, compactRevision: number): void {
    this.#watchers.delete(watcher.id)
    this.#compactedIds.add(watcher.id)
    if (this.#compactedIds.size > compactedIdsMax) {
      const [oldest = watcher.id] = this.#compactedIds
      this.#compactedIds.delete(oldest)
    }
    this.#answer(0, { watchId: watcher.id, canceled: true, compactRevision })
  }

  sendProgress(watcher: Watcher, revision: number): void {
    this.#answer(revision, { watchId: watcher.id })
  }

  watcherSynced(): void {
    this.#maybeSendProgress()
  }

  /** Why no watcher is made; texts are etcd's. */
  #refusal(request: WatchCreateRequest): string | undefined {
    if (request.startRevision < 0) {
      return 'etcdserver: mvcc: required revision has been compacted'
    }
    const { from, to } = watchRange(request)
    if (to !== undefined && to <= from) return 'mvcc: watcher range is empty'
    if (request.watchId !== 0 && this.#isTaken(request.watchId)) {
      return 'mvcc: duplicate watch ID provided on the WatchStream'
    }
    return undefined
  }

  #takeId(): number {
    while (this.#isTaken(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  #isTaken(watchId: number): boolean {
    return this.#watchers.has(watchId) || this.#compactedIds.has(watchId)
  }

  /** The answer is true for the stream as a whole, so it waits until no watcher is behind or waits for the future. */
  #maybeSendProgress(): void {
    if (!this.#isProgressWanted || this.isBlocked || this.#isClosed) return
    const { revision, isTelling } = this.#hub
    if (isTelling) {
      this.#hub.later(() => this.#maybeSendProgress())
      return
    }
    for (const watcher of this.#watchers.values()) {
      if (!watcher.isSynced || watcher.startRevision > revision) return
    }
    this.#isProgressWanted = false
    this.#answer(revision, { watchId: noWatchId })
  }

  #answer(revision: number, fields: Partial<WatchResponse>): void {
    if (this.#isClosed) return
    const hasRoom = this.#sink.send({
      header: this.#header(revision),
      watchId: 0,
      created: false,
      canceled: false,
      compactRevision: 0,
      cancelReason: '',
      fragment: false,
      events: [],
      ...fields,
    })
    if (!hasRoom) this.isBlocked = true
  }
}

/** Parts of at most fragmentSizeBytesMax; a single larger event stands alone. */
function splitEvents(events: readonly EncodedEvent[]): EncodedEvent[][] {
  const parts: EncodedEvent[][] = []
  let part: EncodedEvent[] = []
  let sizeBytes = 0
  for (const event of events) {
    if (part.length > 0 && sizeBytes + event.length > fragmentSizeBytesMax) {
      parts.push(part)
      part = []
      sizeBytes = 0
    }
    part.push(event)
    sizeBytes += event.length
  }
  parts.push(part)
  return parts
}
