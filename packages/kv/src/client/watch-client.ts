// All watches of one client over one server stream. When the stream breaks, a new one is opened and every watch is created again from the
// revision after the last one it saw, so that a program sees each event once, in order, and learns of a gap only as COMPACTED.
import { KvError } from '../errors.ts'
import type { Watch, WatchHandlers, WatchOptions } from '../kv.ts'
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'
import { watchUntil } from './abortable-watch.ts'
import { backOffMs, delay } from './back-off.ts'
import { eventOf, watchRequestOf } from './convert.ts'
import type { WatchChannel, Wire } from './wire.ts'

interface ActiveWatch {
  readonly id: number
  readonly request: WatchCreateRequest
  readonly handlers: WatchHandlers
  /** The first revision not seen yet; 0 until the watch stands. */
  nextRevision: number
  isCreated: boolean
  /** It was asked for, and no server has answered yet. */
  isProgressWanted: boolean
}

/** Of an answer that is the whole stream's. */
const everyWatch = -1

/** Streams that end so, one after the other, before the watches are given up. */
const malformedMax = 5

export class WatchClient {
  readonly #wire: Pick<Wire, 'openWatchChannel'>
  readonly #watches = new Map<number, ActiveWatch>()
  readonly #closed = new AbortController()
  #channel: WatchChannel | undefined
  #isOpening = false
  /** Channels that were lost, or could not be opened, since one last brought something. */
  #failureCount = 0
  /** Channels in a row that ended with something that cannot be read, and brought no event before. */
  #malformedCount = 0
  /** Watches whose `created` is still to come on this channel, in order. */
  #creating: number[] = []
  #nextId = 1

  constructor(wire: Pick<Wire, 'openWatchChannel'>) {
    this.#wire = wire
  }

  watch(options: WatchOptions, handlers: WatchHandlers): Watch {
    return watchUntil(options.signal, handlers, (told) => this.#watch(options, told))
  }

  #watch(options: WatchOptions, handlers: WatchHandlers): Watch {
    if (this.#closed.signal.aborted) throw new KvError('ABORTED')
    const id = this.#nextId++
    const request = { ...watchRequestOf(options), watchId: id }
    const nextRevision = request.startRevision
    const state = { isCreated: false, isProgressWanted: false }
    const watch: ActiveWatch = { id, request, handlers, nextRevision, ...state }
    this.#watches.set(id, watch)
    if (this.#channel === undefined) void this.#open()
    else this.#create(this.#channel, watch)
    const close = (): void => this.#closeWatch(watch)
    return {
      close,
      requestProgress: () => this.#requestProgress(watch),
      [Symbol.asyncDispose]: () => {
        close()
        return Promise.resolve()
      },
    }
  }

  /** Ends every watch. */
  close(): void {
    this.#closed.abort()
    this.#channel?.close()
    for (const watch of this.#watches.values()) this.#end(watch, undefined)
  }

  /** The first time at once, then with growing pauses, until a channel stands or no watch is left. */
  async #open(): Promise<void> {
    if (this.#isOpening) return
    this.#isOpening = true
    const { signal } = this.#closed
    while (this.#watches.size > 0 && this.#channel === undefined && !signal.aborted) {
      try {
        const failures = Math.max(this.#failureCount, this.#malformedCount)
        if (failures > 1) await delay(backOffMs(failures), signal)
        await this.#openOnce()
      } catch (reason) {
        if (!(reason instanceof Error)) throw reason
        this.#failureCount++
      }
    }
    this.#isOpening = false
  }

  async #openOnce(): Promise<void> {
    const channel = await this.#wire.openWatchChannel({
      response: (response) => this.#response(response),
      lost: (reason) => this.#lost(reason),
    })
    if (this.#closed.signal.aborted) {
      channel.close()
      return
    }
    this.#channel = channel
    this.#creating = []
    for (const watch of this.#watches.values()) this.#create(channel, watch)
  }

  #create(channel: WatchChannel, watch: ActiveWatch): void {
    this.#creating.push(watch.id)
    channel.create({ ...watch.request, startRevision: watch.nextRevision })
  }

  /** A server that keeps sending what cannot be read ends the watches: asking again brings the same. */
  #lost(reason: KvError | undefined): void {
    this.#failureCount++
    this.#channel = undefined
    if (reason !== undefined && ++this.#malformedCount >= malformedMax) {
      this.#malformedCount = 0
      for (const watch of this.#watches.values()) this.#end(watch, reason)
    }
    void this.#open()
  }

  #response(response: WatchResponse): void {
    this.#failureCount = 0
    if (response.created) this.#created(response)
    else if (response.canceled) this.#canceled(this.#watches.get(response.watchId), response)
    else if (response.watchId === everyWatch) this.#progress(response.header.revision)
    else this.#events(response)
  }

  /** A refused watch is told apart by `canceled`, and has no id of its own. */
  #created(response: WatchResponse): void {
    const watch = this.#watches.get(this.#creating.shift() ?? 0)
    if (watch === undefined) return
    if (response.canceled) {
      this.#canceled(watch, response)
      return
    }
    const revision = response.header.revision
    if (watch.nextRevision === 0) watch.nextRevision = revision + 1
    if (watch.isProgressWanted) this.#channel?.progress()
    if (watch.isCreated) return
    watch.isCreated = true
    this.#tell(watch, () => watch.handlers.created?.(revision))
  }

  #canceled(watch: ActiveWatch | undefined, response: WatchResponse): void {
    if (watch === undefined) return
    const { compactRevision, cancelReason } = response
    const isCompacted = compactRevision > 0 || cancelReason.includes('has been compacted')
    this.#end(
      watch,
      isCompacted
        ? new KvError('COMPACTED', { compactRevision })
        : new KvError('WATCH_CANCELED', cancelReason === '' ? {} : { message: cancelReason }),
    )
  }

  #events(response: WatchResponse): void {
    const watch = this.#watches.get(response.watchId)
    if (watch === undefined) return
    const events = response.events
      .map(eventOf)
      .filter(({ kv }) => kv.modRevision >= watch.nextRevision)
    const last = events.at(-1)
    if (last === undefined && response.events.length > 0) return
    // The header of a catch-up response may be ahead of its events; that of a progress notification is not.
    const revision = last?.kv.modRevision ?? response.header.revision
    this.#malformedCount = 0
    watch.nextRevision = Math.max(watch.nextRevision, revision + 1)
    this.#tell(watch, () => watch.handlers.batch({ events, revision }))
  }

  /** On a stream that is lost, it is asked again on the next. */
  #requestProgress(watch: ActiveWatch): void {
    if (!this.#watches.has(watch.id)) return
    watch.isProgressWanted = true
    if (watch.nextRevision > 0) this.#channel?.progress()
  }

  #progress(revision: number): void {
    for (const watch of this.#watches.values()) {
      // One that does not stand yet on this stream asks when it does.
      if (!watch.isProgressWanted || this.#creating.includes(watch.id)) continue
      watch.isProgressWanted = false
      watch.nextRevision = Math.max(watch.nextRevision, revision + 1)
      this.#tell(watch, () => watch.handlers.batch({ events: [], revision }))
    }
  }

  /** What a handler throws ends its watch and no other. */
  #tell(watch: ActiveWatch, call: () => void): void {
    try {
      call()
    } catch (reason) {
      this.#channel?.cancel(watch.id)
      this.#end(watch, reason instanceof Error ? reason : KvError.from(reason))
    }
  }

  #closeWatch(watch: ActiveWatch): void {
    if (!this.#watches.has(watch.id)) return
    this.#channel?.cancel(watch.id)
    this.#end(watch, undefined)
  }

  #end(watch: ActiveWatch, error: Error | undefined): void {
    if (!this.#watches.delete(watch.id)) return
    watch.handlers.ended?.(error)
  }
}
