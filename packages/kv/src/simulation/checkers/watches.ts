// What etcd promises to watchers: events in order, each once, those of a revision together, none left out, from where the watcher asks on;
// a bookmark is ahead of no event; the pair before an event is the right one; filters hold back what they name and nothing else.
import { isInRange, keyRange } from '../../mvcc/key-range.ts'
import { keyText } from '../../mvcc/key-text.ts'
import { decodeEvent, eventType } from '../../proto/index.ts'
import {
  watchFilter,
  type EncodedEvent,
  type WatchCreateRequest,
  type WatchResponse,
} from '../../proto/messages.ts'
import {
  isSamePair,
  pairOf,
  pairText,
  type Change,
  type CommittedHistory,
} from '../committed-history.ts'
import { Violation } from '../violation.ts'

/** What one watcher has seen, over all the streams that it was opened on. */
export class WatchedHistory {
  readonly name: string
  readonly #history: CommittedHistory
  readonly #request: WatchCreateRequest
  /** Everything below was seen; undefined until the first stream says where "now" is. */
  #next: number | undefined
  events = 0

  constructor(name: string, history: CommittedHistory, request: WatchCreateRequest) {
    this.name = name
    this.#history = history
    this.#request = request
    if (request.startRevision > 0) this.#next = request.startRevision
  }

  /** Where to go on, elsewhere; 0: from now on. */
  get next(): number {
    return this.#next ?? 0
  }

  get request(): WatchCreateRequest {
    return { ...this.#request, startRevision: this.next }
  }

  created({ header }: WatchResponse): void {
    this.#next ??= header.revision + 1
    this.#isKnown(header.revision)
  }

  /** An answer with events, or without: then it is a bookmark. */
  heard(response: WatchResponse): void {
    if (response.events.length === 0) this.bookmark(response.header.revision)
    else this.#heardEvents(response)
  }

  /** Everything up to `revision` was told, for what this watcher wants. */
  bookmark(revision: number): void {
    this.#isKnown(revision)
    const next = this.next
    if (revision < next - 1) {
      throw this.#wrong('bookmarkable', `is told of ${revision} and stands at ${next}`)
    }
    const [missed] = this.#wanted(next, revision)
    if (missed !== undefined) {
      const what = `is told of ${revision}, and not of ${missed.change.key} at ${missed.revision}`
      throw this.#wrong('bookmarkable', what)
    }
    this.#next = revision + 1
  }

  /** The history that it needs is gone; it goes on where it can. */
  compacted(compactRevision: number): void {
    if (compactRevision > this.#history.compactRevision) {
      throw this.#wrong('resumable', `is told of a compaction at ${compactRevision}`)
    }
    if (this.next >= compactRevision) {
      const what = `ends by compaction at ${compactRevision} and stands at ${this.next}`
      throw this.#wrong('resumable', what)
    }
    this.#next = compactRevision
  }

  /** The first event that it wants and has not heard of. */
  missing(): string | undefined {
    if (this.#next === undefined) return undefined
    const [missed] = this.#wanted(this.#next, this.#history.revision)
    return missed && `${this.name} has not heard of ${missed.change.key} at ${missed.revision}`
  }

  #heardEvents({ header, events }: WatchResponse): void {
    const told = events.map(decoded)
    const through = told.at(-1)?.revision ?? 0
    this.#isKnown(through)
    if (header.revision < through) {
      throw this.#wrong('ordered', `an answer at ${header.revision} has an event of ${through}`)
    }
    const wanted = this.#wanted(this.next, through)
    for (const [i, event] of told.entries()) {
      const right = wanted[i]
      if (right !== undefined && isSameEvent(event, right)) {
        if (this.#request.prevKv) this.#isRightPrevious(event)
        continue
      }
      const text = right === undefined ? 'nothing' : `${right.change.key} at ${right.revision}`
      const what = `is told of ${event.key} at ${event.revision} where ${text} is next (from ${this.next})`
      throw this.#wrong(event.revision < this.next ? 'unique' : 'ordered, reliable', what)
    }
    const missed = wanted[told.length]
    if (missed !== undefined) {
      const what = `an answer ends within revision ${missed.revision}, before ${missed.change.key}`
      throw this.#wrong('atomic', what)
    }
    this.events += told.length
    this.#next = through + 1
  }

  /** Of the revisions `from` to `to`. */
  #wanted(from: number, to: number): { readonly revision: number; readonly change: Change }[] {
    const { key, rangeEnd, filters } = this.#request
    const range = keyRange(key, rangeEnd)
    const wanted: { revision: number; change: Change }[] = []
    for (let revision = Math.max(from, 2); revision <= to; revision++) {
      for (const change of this.#history.at(revision)?.changes ?? []) {
        if (!isInRange(range, change.key)) continue
        const filter = change.pair === undefined ? watchFilter.noDelete : watchFilter.noPut
        if (!filters.includes(filter)) wanted.push({ revision, change })
      }
    }
    return wanted
  }

  #isRightPrevious(event: DecodedEvent): void {
    const right = this.#history.pairAt(event.key, event.revision - 1)
    const told = event.previous === undefined ? undefined : pairOf(event.previous)
    // A pair that is superseded at the compact revision may be gone.
    const mayBeGone = told === undefined && this.#history.compactRevision >= event.revision
    if (mayBeGone || isSamePair(told, right)) return
    const what = `${event.key} at ${event.revision}: told ${pairText(told)}, was ${pairText(right)}`
    throw this.#wrong('previous pair', what)
  }

  #isKnown(revision: number): void {
    if (revision <= this.#history.revision) return
    throw this.#wrong('ordered', `is told of ${revision}, ${this.#history.revision} is newest`)
  }

  #wrong(property: string, what: string): Violation {
    return new Violation(`watches, ${property}`, `${this.name} ${what}`)
  }
}

interface DecodedEvent {
  readonly key: string
  readonly revision: number
  readonly isPut: boolean
  readonly row: Uint8Array
  readonly previous: Uint8Array | undefined
}

function decoded(event: EncodedEvent): DecodedEvent {
  const { type, kv, prevKv } = decodeEvent(event)
  const pair = pairOf(kv)
  return {
    key: pair.key,
    revision: pair.mod,
    isPut: type === eventType.put,
    row: kv,
    previous: prevKv,
  }
}

function isSameEvent(
  event: DecodedEvent,
  right: { readonly revision: number; readonly change: Change },
): boolean {
  const { key, pair } = right.change
  if (event.key !== key || event.revision !== right.revision) return false
  if (!event.isPut) return pair === undefined
  return isSamePair(pairOf(event.row), pair)
}

/** For messages: what a watcher looks at. */
export function watchName(number: number, { key, rangeEnd }: WatchCreateRequest): string {
  return `watch ${number} of '${keyText(key)}'${rangeEnd.length === 0 ? '' : '…'}`
}
