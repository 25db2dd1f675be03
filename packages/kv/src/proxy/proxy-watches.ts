// The Watch service of the proxy: each client's stream has its own ids and filters; equal watches from now on share one at the members.
import { KvError } from '../errors.ts'
import { keyText } from '../mvcc/key-text.ts'
import {
  decodeEvent,
  decodeKeyValue,
  decodeWatchRequest,
  encodeWatchResponse,
} from '../proto/index.ts'
import type { EncodedEvent, WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import type { ReplyStream, RequestStream } from '../api/services/index.ts'
import type { Namespace } from './namespace.ts'
import { canceledResponse, SharedWatch } from './shared-watch.ts'
import type { Watching } from './shared-watch.ts'
import type { Upstream } from './upstream.ts'

/** Responses that wait for a client to read; one that is slower loses its stream, as its events are nowhere else. */
export const clientBacklogMax = 10_000

export class ProxyWatches {
  readonly #upstream: Upstream
  readonly #namespace: Namespace | undefined
  /** Those from now on, by what they watch. */
  readonly #shared = new Map<string, SharedWatch>()
  readonly #all = new Set<SharedWatch>()
  /** Events that went to more than one client. */
  coalescedEventsCount = 0

  constructor(upstream: Upstream, namespace: Namespace | undefined) {
    this.#upstream = upstream
    this.#namespace = namespace
  }

  /** Watches at the members that serve several clients' watches, and how many those are. */
  get coalescedWatchersCount(): number {
    let count = 0
    for (const shared of this.#shared.values()) {
      if (shared.watchingCount > 1) count += shared.watchingCount
    }
    return count
  }

  get upstreamCount(): number {
    return this.#all.size
  }

  open(out: ReplyStream, token: string): RequestStream {
    return new ClientWatches(this, out, token)
  }

  /** `release` forgets the client's watch. */
  watch(
    request: WatchCreateRequest,
    token: string,
    watching: Watching,
  ): { readonly release: () => void; readonly nextRevision: () => number } {
    const wanted = this.#namespace?.watchKeys(request) ?? request
    const { key, rangeEnd, filters, prevKv, fragment, startRevision } = wanted
    const names = [keyText(key), keyText(rangeEnd), token].map((text) => JSON.stringify(text))
    const name = [...names, filters.join('+'), prevKv, fragment].join()
    const known = this.#shared.get(name)
    // One that begins behind what a shared watch has told misses nothing there.
    const isShared =
      startRevision === 0 || (known !== undefined && startRevision >= known.nextRevision)
    const shared =
      (isShared ? known : undefined) ?? this.#start(wanted, token, isShared ? name : '')
    const stripped = this.#stripped(watching, shared)
    shared.add(stripped)
    return {
      release: () => shared.remove(stripped),
      nextRevision: () => shared.nextRevision,
    }
  }

  close(): void {
    for (const shared of this.#all) shared.close()
  }

  #start(request: WatchCreateRequest, token: string, name: string): SharedWatch {
    const shared: SharedWatch = new SharedWatch(this.#upstream, request, {
      token,
      onOver: () => {
        this.#all.delete(shared)
        if (this.#shared.get(name) === shared) this.#shared.delete(name)
      },
    })
    this.#all.add(shared)
    if (name !== '') this.#shared.set(name, shared)
    return shared
  }

  #stripped(watching: Watching, shared: SharedWatch): Watching {
    const namespace = this.#namespace
    return {
      ...watching,
      told: (response) => {
        if (shared.watchingCount > 1) this.coalescedEventsCount += response.events.length
        if (namespace === undefined) watching.told(response)
        else {
          const events = response.events.map((event) => namespace.event(event))
          watching.told({ ...response, events })
        }
      },
    }
  }
}

type Held = ReturnType<ProxyWatches['watch']>

/** The watches of one client's stream. */
class ClientWatches implements RequestStream {
  readonly #watches: ProxyWatches
  readonly #out: ReplyStream
  readonly #token: string
  readonly #held = new Map<number, Held>()
  readonly #backlog: WatchResponse[] = []
  #hasRoom = true
  #nextId = 0
  #last: WatchResponse = canceledResponse

  constructor(watches: ProxyWatches, out: ReplyStream, token: string) {
    this.#watches = watches
    this.#out = out
    this.#token = token
  }

  message(body: Uint8Array): void {
    const request = decodeWatchRequest(body)
    if (request?.type === 'create') this.#create(request.request)
    else if (request?.type === 'cancel') this.#cancel(request.watchId)
    else if (request?.type === 'progress') this.#progress()
  }

  halfClosed(): void {
    // As in etcd, a client that sends no more goes on to get events.
  }

  writable(): void {
    this.#hasRoom = true
    for (;;) {
      const response = this.#hasRoom ? this.#backlog.shift() : undefined
      if (response === undefined) return
      this.#hasRoom = this.#out.send(encodeWatchResponse(response))
    }
  }

  closed(): void {
    for (const held of this.#held.values()) held.release()
    this.#held.clear()
  }

  #create(request: WatchCreateRequest): void {
    const { watchId, startRevision, progressNotify } = request
    if (watchId !== 0 && this.#held.has(watchId)) {
      const cancelReason = 'mvcc: duplicate watch ID provided on the WatchStream'
      this.#send({ ...this.#last, ...canceled, created: true, cancelReason })
      return
    }
    const id = watchId === 0 ? this.#takeId() : watchId
    let from = startRevision
    // Held before it can be told anything.
    this.#held.set(id, { release: () => undefined, nextRevision: () => 0 })
    const held = this.#watches.watch(request, this.#token, {
      created: (response) => {
        from = Math.max(from, startRevision === 0 ? response.header.revision + 1 : startRevision)
        this.#send({ ...response, watchId: id })
      },
      told: (response) => {
        if (response.events.length === 0) {
          if (progressNotify && response.header.revision >= startRevision) {
            this.#send({ ...response, watchId: id })
          }
          return
        }
        const events = from > response.header.revision ? [] : response.events.filter(isFrom(from))
        if (events.length > 0) this.#send({ ...response, events, watchId: id })
      },
      canceled: (response) => {
        this.#held.delete(id)
        this.#send({ ...response, watchId: response.created ? -1 : id })
      },
    })
    if (this.#held.has(id)) this.#held.set(id, held)
  }

  #cancel(watchId: number): void {
    const held = this.#held.get(watchId)
    if (held === undefined) return
    this.#held.delete(watchId)
    held.release()
    this.#send({ ...this.#last, ...canceled, watchId })
  }

  /** What all of its watches have been told. */
  #progress(): void {
    const told = [...this.#held.values()].map((held) => held.nextRevision() - 1)
    const revision = told.length === 0 ? this.#last.header.revision : Math.min(...told)
    const header = { ...this.#last.header, revision }
    this.#send({ ...this.#last, ...canceled, canceled: false, header })
  }

  #takeId(): number {
    while (this.#held.has(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  #send(response: WatchResponse): void {
    this.#last = { ...response, events: [] }
    if (this.#hasRoom) this.#hasRoom = this.#out.send(encodeWatchResponse(response))
    else if (this.#backlog.push(response) > clientBacklogMax) {
      this.#backlog.length = 0
      this.#out.end(new KvError('WATCH_CANCELED'))
    }
  }
}

const canceled = {
  watchId: -1,
  created: false,
  canceled: true,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
  events: [],
} as const

function isFrom(revision: number): (event: EncodedEvent) => boolean {
  return (event) => decodeKeyValue(decodeEvent(event).kv).modRevision >= revision
}
