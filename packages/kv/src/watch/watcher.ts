// One watcher of a stream: what it wants, and from which revision on.
import { keyRange, type KeyRange } from '../mvcc/key-range.ts'
import { watchFilter, type EncodedEvent, type WatchCreateRequest } from '../proto/messages.ts'
import type { WatchEvent } from './watch-event.ts'

/** What a watcher needs of its stream. */
export interface EventTarget {
  /** True while the wire is full: events wait in history. */
  readonly isBlocked: boolean
  sendEvents(watcher: Watcher, events: readonly EncodedEvent[], revision: number): void
  sendCompacted(watcher: Watcher, compactRevision: number): void
  sendProgress(watcher: Watcher, revision: number): void
  /** A watcher of the stream is up to date now. */
  watcherSynced(): void
}

/** How events are filtered and encoded; watchers of equal range and form share one array of events. */
export type EventForm = number
const formPrevKv = 1
const formNoPut = 2
const formNoDelete = 4

export class Watcher {
  readonly id: number
  readonly target: EventTarget
  readonly range: KeyRange
  readonly form: EventForm
  readonly fragment: boolean
  readonly progressNotify: boolean
  /** As asked for; nothing is said to a watcher before this revision. */
  readonly startRevision: number
  /** Events below it are not wanted, or were sent. While synced it only counts if it is in the future. */
  nextRevision: number
  isSynced = false
  /** Something was sent since the last round of progress notifications. */
  isActive = false

  constructor(id: number, target: EventTarget, request: WatchCreateRequest, nextRevision: number) {
    this.id = id
    this.target = target
    this.range = watchRange(request)
    this.form =
      (request.prevKv ? formPrevKv : 0) |
      (request.filters.includes(watchFilter.noPut) ? formNoPut : 0) |
      (request.filters.includes(watchFilter.noDelete) ? formNoDelete : 0)
    this.fragment = request.fragment
    this.progressNotify = request.progressNotify
    this.startRevision = request.startRevision
    this.nextRevision = nextRevision
  }
}

/** An empty key stands for the smallest one. */
export function watchRange(request: WatchCreateRequest): KeyRange {
  const key = request.key.length === 0 ? new Uint8Array(1) : request.key
  return keyRange(key, request.rangeEnd)
}

/** The events that a form lets through, encoded. */
export function encodeEvents(events: readonly WatchEvent[], form: EventForm): EncodedEvent[] {
  const encoded: EncodedEvent[] = []
  const prevKv = (form & formPrevKv) !== 0
  for (const event of events) {
    if ((form & (event.deleted ? formNoDelete : formNoPut)) !== 0) continue
    encoded.push(event.encoded(prevKv))
  }
  return encoded
}
