// The objects of one kind as of a revision, and its recent changes in a bounded ring that all watchers read with cursors of their own:
// a slow watcher costs no memory, it is told Expired when the ring has moved past it.
import { assert } from '@balsa/raft/assert'
import { tooOldResourceVersion } from '../api-errors.ts'
import { SortedKeys } from './sorted-keys.ts'
import type { StoredObject } from './stored-object.ts'

export const ringEventsMax = 16_384
export const ringBytesMax: number = 32 * 1024 * 1024

/** One change. The encodings that watchers made of it are kept with it, so that each is made once. */
export class CacheEvent {
  readonly revision: number
  /** undefined: the object was deleted. */
  readonly current: StoredObject | undefined
  readonly previous: StoredObject | undefined
  /** Made with the first: nobody watches most kinds from outside. */
  #encodings: Map<string, Buffer> | undefined
  #departed: StoredObject | undefined

  constructor(
    revision: number,
    current: StoredObject | undefined,
    previous: StoredObject | undefined,
  ) {
    assert(current !== undefined || previous !== undefined, 'an event is about an object')
    this.revision = revision
    this.current = current
    this.previous = previous
  }

  get key(): string {
    return this.current?.key ?? this.previous?.key ?? ''
  }

  get sizeBytes(): number {
    return this.current?.value.length ?? this.previous?.value.length ?? 0
  }

  /** The last state with this event's revision: what a DELETED event shows. */
  get departed(): StoredObject | undefined {
    return (this.#departed ??= this.previous?.at(this.revision))
  }

  /** `form` names what `encode` makes. */
  encoded(form: string, encode: () => Buffer): Buffer {
    let bytes = this.#encodings?.get(form)
    if (bytes === undefined) {
      bytes = encode()
      this.#encodings ??= new Map()
      this.#encodings.set(form, bytes)
    }
    return bytes
  }
}

/** An event as one watcher sees it: a change into or out of what its selectors match is ADDED or DELETED. */
export interface CacheChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: StoredObject
  /** undefined for the initial state. */
  readonly event: CacheEvent | undefined
}

export interface CacheFilter {
  /** `NAMESPACE/` or ''. */
  readonly keyPrefix: string
  /** Left out: everything. */
  readonly matches?: (object: StoredObject) => boolean
}

export class ResourceCache {
  readonly #objects = new Map<string, StoredObject>()
  readonly #keys = new SortedKeys()
  readonly #cursors = new Set<CacheCursor>()
  #ring: CacheEvent[] = []
  #ringBytes = 0
  /** Sequence number of #ring[0]. */
  #firstSequence = 0
  /** Every change after this revision is in the ring. */
  #floorRevision = 0
  #lastChange = 0

  /** Revision of the last change of any object of the kind. */
  get lastChange(): number {
    return this.#lastChange
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  /** Objects in key order from `startKey` on. */
  *list(keyPrefix: string, startKey = ''): Generator<StoredObject> {
    let index = this.#keys.position(startKey > keyPrefix ? startKey : keyPrefix)
    for (;;) {
      const key = this.#keys.at(index++)
      if (key === undefined || !key.startsWith(keyPrefix)) return
      const object = this.#objects.get(key)
      if (object !== undefined) yield object
    }
  }

  /** Objects under `keyPrefix` from `startKey` on, counted without reading them. */
  count(keyPrefix: string, startKey = ''): number {
    const end = keyPrefix === '' ? this.#keys.size : this.#keys.position(`${keyPrefix}\uffff`)
    return Math.max(0, end - this.#keys.position(startKey > keyPrefix ? startKey : keyPrefix))
  }

  /** Starts again from a list; every cursor is lost. `objects` in key order. */
  reset(objects: readonly StoredObject[], revision: number): void {
    this.#objects.clear()
    for (const object of objects) this.#objects.set(object.key, object)
    this.#keys.reset(objects.map((object) => object.key))
    this.#firstSequence += this.#ring.length + 1
    this.#ring = []
    this.#ringBytes = 0
    this.#floorRevision = revision
    this.#lastChange = revision
    this.wake()
  }

  /** Takes a change in; watchers see it at the next wake(). */
  apply(revision: number, key: string, current: StoredObject | undefined): void {
    assert(revision >= this.#lastChange, 'changes come in order')
    const previous = this.#objects.get(key)
    if (current === undefined && previous === undefined) return
    if (current === undefined) {
      this.#objects.delete(key)
      this.#keys.delete(key)
    } else {
      this.#objects.set(key, current)
      if (previous === undefined) this.#keys.add(key)
    }
    const event = new CacheEvent(revision, current, previous)
    this.#ring.push(event)
    this.#ringBytes += event.sizeBytes
    this.#lastChange = revision
    if (this.#ring.length > ringEventsMax || this.#ringBytes > ringBytesMax) this.#trim()
  }

  wake(): void {
    for (const cursor of this.#cursors) cursor.wake()
  }

  /** Changes after `revision`. Throws ApiError Expired when the ring no longer has them. */
  openCursor(filter: CacheFilter, revision: number): CacheCursor {
    if (revision < this.#floorRevision) {
      throw tooOldResourceVersion(revision, this.#floorRevision)
    }
    let low = 0
    let high = this.#ring.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ring[middle]?.revision ?? 0) <= revision) low = middle + 1
      else high = middle
    }
    return this.#newCursor(filter, [], this.#firstSequence + low, revision)
  }

  /** What is there as ADDED, then the changes after it. */
  openCursorWithState(filter: CacheFilter): CacheCursor {
    const initial = [...this.list(filter.keyPrefix)]
    const sequence = this.#firstSequence + this.#ring.length
    return this.#newCursor(filter, initial, sequence, this.#lastChange)
  }

  /** The event with this sequence number; undefined: not yet there. Throws ApiError Expired when it is gone. */
  eventAt(sequence: number, lastSeen: number): CacheEvent | undefined {
    if (sequence < this.#firstSequence) throw tooOldResourceVersion(lastSeen, this.#floorRevision)
    return this.#ring[sequence - this.#firstSequence]
  }

  closeCursor(cursor: CacheCursor): void {
    this.#cursors.delete(cursor)
  }

  #newCursor(
    filter: CacheFilter,
    initial: StoredObject[],
    sequence: number,
    revision: number,
  ): CacheCursor {
    const cursor = new CacheCursor(this, filter, initial, sequence, revision)
    this.#cursors.add(cursor)
    return cursor
  }

  /** Drops the older quarter, or as much as the byte limit asks for. */
  #trim(): void {
    let count = 0
    let bytes = this.#ringBytes
    const eventsKept = ringEventsMax * 0.75
    const bytesKept = ringBytesMax * 0.75
    while (
      this.#ring.length - count > eventsKept ||
      (bytes > bytesKept && count < this.#ring.length)
    ) {
      bytes -= this.#ring[count]?.sizeBytes ?? 0
      count++
    }
    const dropped = this.#ring.splice(0, count)
    this.#ringBytes = bytes
    this.#firstSequence += count
    this.#floorRevision = dropped.at(-1)?.revision ?? this.#floorRevision
  }
}

/** One watcher's place among the changes. */
export class CacheCursor {
  /** Called when there may be something to read; not while reading. */
  onWake: () => void = () => undefined
  readonly #cache: ResourceCache
  readonly #filter: CacheFilter
  /** Initial state still to be read, in order; emptied as it is read. */
  #initial: StoredObject[]
  #initialIndex = 0
  #sequence: number
  #revision: number

  constructor(
    cache: ResourceCache,
    filter: CacheFilter,
    initial: StoredObject[],
    sequence: number,
    revision: number,
  ) {
    this.#cache = cache
    this.#filter = filter
    this.#initial = initial
    this.#sequence = sequence
    this.#revision = revision
  }

  /** All changes up to it were read or did not match. */
  get revision(): number {
    return this.#revision
  }

  /** Whether the initial state has been read whole. */
  get isLive(): boolean {
    return this.#initialIndex >= this.#initial.length
  }

  wake(): void {
    this.onWake()
  }

  /** The next change that matches; undefined: none now, onWake tells when. Throws ApiError Expired when it fell behind the ring. */
  next(): CacheChange | undefined {
    while (this.#initialIndex < this.#initial.length) {
      const object = this.#initial[this.#initialIndex++]
      if (this.isLive) {
        this.#initial = []
        this.#initialIndex = 0
      }
      if (object !== undefined && this.#matches(object)) {
        return { type: 'ADDED', object, event: undefined }
      }
    }
    for (;;) {
      const event = this.#cache.eventAt(this.#sequence, this.#revision)
      if (event === undefined) return undefined
      this.#sequence++
      this.#revision = event.revision
      const change = this.#change(event)
      if (change !== undefined) return change
    }
  }

  close(): void {
    this.onWake = () => undefined
    this.#cache.closeCursor(this)
  }

  #matches(object: StoredObject): boolean {
    return this.#filter.matches === undefined || this.#filter.matches(object)
  }

  #change(event: CacheEvent): CacheChange | undefined {
    if (!event.key.startsWith(this.#filter.keyPrefix)) return undefined
    const { current, previous } = event
    const isIn = current !== undefined && this.#matches(current)
    const wasIn = previous !== undefined && this.#matches(previous)
    if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object: current, event }
    // What was last there is made for those who saw it alone.
    const departed = wasIn ? event.departed : undefined
    return departed === undefined ? undefined : { type: 'DELETED', object: departed, event }
  }
}
