// GET with watch=true: the changes of a collection as a stream of events. The watcher reads the shared ring at the speed of its client;
// each event's bytes are made once for all watchers of the same form.
import type { CounterSeries } from '../../metrics/metrics.ts'
import { apiErrorFrom, invalid, notAcceptable, statusOf } from '../api-errors.ts'
import { parseResourceVersion } from '../registry/list-reader.ts'
import type { Conversion } from '../custom/conversion.ts'
import type { Registry } from '../registry/registry.ts'
import type { CacheChange, CacheCursor, CacheFilter } from '../storage/resource-cache.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import type { Exchange, ReplyStream } from './exchange.ts'
import { bookmarkObject, encodeObject, formName, type View } from './forms.ts'
import { jsonType } from './media-types.ts'
import { flag, wholeNumber } from './query-options.ts'

/** Where the client sets no timeout, a watch ends after a random time from this range, so that not all end at once. */
const timeoutSecondsRange: readonly [number, number] = [1800, 3600]
const bookmarkIntervalMs = 60_000
/** How much is put together into one write. */
const writeBytesMax = 64 * 1024

interface WatchOptions {
  readonly revision: number | undefined
  readonly bookmarks: boolean
  /** The state first, then a bookmark that says so. */
  readonly sendInitialEvents: boolean
  readonly timeoutMs: number
}

export const handleWatch = (
  exchange: Exchange,
  registry: Registry,
  request: {
    readonly filter: CacheFilter
    readonly view: View
    readonly watchCache: WatchCache
    /** Counts events. */
    readonly sent: CounterSeries
  },
): void => {
  const { filter, view, watchCache, sent } = request
  if (view.form.as === 'object' && view.form.encoding === 'yaml') {
    throw notAcceptable([jsonType])
  }
  const options = watchOptions(exchange)
  const stream = exchange.startStream(200, jsonType)
  let cursor: CacheCursor
  try {
    cursor = registry.watch(filter, options.sendInitialEvents ? undefined : options.revision)
  } catch (reason) {
    writeError(stream, reason)
    return
  }
  const { conversion } = registry
  new Watcher({ exchange, stream, cursor, view, watchCache, sent, options, conversion }).start()
}

const watchOptions = ({ query }: Exchange): WatchOptions => {
  const bookmarks = flag(query, 'allowWatchBookmarks')
  const sendInitialEvents = flag(query, 'sendInitialEvents')
  const match = query.get('resourceVersionMatch') ?? ''
  const refuse = (field: string, message: string): Error =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { reason: 'FieldValueForbidden', field, message: `Forbidden: ${message}` },
    ])
  if (query.has('sendInitialEvents')) {
    if (match !== 'NotOlderThan') {
      throw refuse(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      )
    }
    if (sendInitialEvents && !bookmarks) {
      throw refuse('sendInitialEvents', 'sendInitialEvents requires allowWatchBookmarks')
    }
  } else if (match !== '') {
    throw refuse(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    )
  }
  const [least, most] = timeoutSecondsRange
  const timeoutSeconds = wholeNumber(query, 'timeoutSeconds') ?? 0
  return {
    revision: parseResourceVersion(query.get('resourceVersion') ?? ''),
    bookmarks,
    sendInitialEvents,
    timeoutMs:
      1000 *
      (timeoutSeconds > 0
        ? Math.min(timeoutSeconds, most)
        : least + Math.random() * (most - least)),
  }
}

const writeError = (stream: ReplyStream, reason: unknown): void => {
  const status = statusOf(apiErrorFrom(reason))
  stream.write(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
  stream.end()
}

/** One client's watch, from its first event to its end. */
class Watcher {
  readonly #exchange: Exchange
  readonly #stream: ReplyStream
  readonly #cursor: CacheCursor
  readonly #view: View
  readonly #form: string
  readonly #watchCache: WatchCache
  readonly #sent: CounterSeries
  readonly #options: WatchOptions
  readonly #conversion: Conversion | undefined
  /** A change whose object is being converted. */
  #held: CacheChange | undefined
  #isConverting = false
  #isFull = false
  #isFirst = true
  #owesInitialEnd: boolean
  #isEnded = false
  #timeout: NodeJS.Timeout | undefined
  #bookmarks: NodeJS.Timeout | undefined

  constructor(parts: {
    exchange: Exchange
    stream: ReplyStream
    cursor: CacheCursor
    view: View
    watchCache: WatchCache
    sent: CounterSeries
    options: WatchOptions
    conversion: Conversion | undefined
  }) {
    this.#exchange = parts.exchange
    this.#stream = parts.stream
    this.#cursor = parts.cursor
    this.#view = parts.view
    this.#form = formName(parts.view)
    this.#watchCache = parts.watchCache
    this.#sent = parts.sent
    this.#options = parts.options
    this.#conversion = parts.conversion
    this.#owesInitialEnd = parts.options.sendInitialEvents
  }

  start(): void {
    const { timeoutMs, bookmarks } = this.#options
    this.#exchange.signal.addEventListener('abort', () => {
      this.#stop()
    })
    if (this.#exchange.signal.aborted) {
      this.#stop()
      return
    }
    this.#stream.onDrain = () => {
      this.#isFull = false
      this.#pump()
    }
    this.#cursor.onWake = () => {
      this.#pump()
    }
    this.#timeout = setTimeout(() => {
      this.#end()
    }, timeoutMs)
    if (bookmarks) {
      this.#bookmarks = setInterval(() => {
        this.#maybeBookmark(false)
      }, bookmarkIntervalMs)
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#isFull || this.#isEnded || this.#isConverting) return
    try {
      let parts: Uint8Array[] = []
      let size = 0
      for (;;) {
        const change = this.#next()
        if (change === undefined) break
        const bytes = this.#encode(change)
        this.#sent.add()
        parts.push(bytes)
        size += bytes.length
        if (size < writeBytesMax) continue
        this.#write(parts)
        if (this.#isFull) return
        parts = []
        size = 0
      }
      if (parts.length > 0) this.#write(parts)
      if (this.#owesInitialEnd && !this.#isFull && !this.#isConverting) {
        this.#owesInitialEnd = false
        this.#maybeBookmark(true)
      }
    } catch (reason) {
      writeError(this.#stream, reason)
      this.#stop()
    }
  }

  /** undefined: nothing more, or nothing until a webhook has answered. */
  #next(): CacheChange | undefined {
    const change = this.#held ?? this.#cursor.next()
    const conversion = this.#conversion
    if (change === undefined || conversion === undefined) return change
    const object = conversion.known(change.object, this.#view.type)
    this.#held = object === undefined ? change : undefined
    if (object !== undefined) return { ...change, object }
    this.#isConverting = true
    void this.#convert(conversion, change)
    return undefined
  }

  async #convert(conversion: Conversion, change: CacheChange): Promise<void> {
    try {
      await conversion.shown([change.object], this.#view.type)
    } catch (reason) {
      if (!this.#isEnded) writeError(this.#stream, reason)
      this.#stop()
      return
    }
    this.#isConverting = false
    this.#pump()
  }

  #write(parts: readonly Uint8Array[]): void {
    const [only] = parts
    const chunk = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    this.#isFull = !this.#stream.write(chunk)
  }

  /** The first event of a Table watch carries the columns, so it has an encoding of its own. */
  #encode(change: CacheChange): Uint8Array {
    const isFirst = this.#isFirst
    this.#isFirst = false
    const hasColumns = isFirst && this.#view.form.as === 'table'
    const encode = (): Buffer => {
      const view = { ...this.#view, now: Date.now() }
      return eventBytes(change.type, encodeObject(view, change.object, hasColumns))
    }
    if (change.event === undefined) return encode()
    return change.event.encoded(
      `${change.type}/${this.#form}${hasColumns ? '/columns' : ''}`,
      encode,
    )
  }

  /** All changes up to the bookmark have been written when nothing is left to read. */
  #maybeBookmark(isInitialEnd: boolean): void {
    if (this.#isFull || this.#isEnded || this.#isConverting || !this.#watchCache.isReady) return
    const revision = Math.max(this.#watchCache.revision, this.#options.revision ?? 0)
    const object = bookmarkObject(this.#view, revision, isInitialEnd)
    this.#write([Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)])
  }

  #end(): void {
    if (this.#options.bookmarks) this.#maybeBookmark(false)
    this.#stream.end()
    this.#stop()
  }

  #stop(): void {
    this.#isEnded = true
    clearTimeout(this.#timeout)
    clearInterval(this.#bookmarks)
    this.#cursor.close()
  }
}

const eventBytes = (type: string, object: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, eventEnd])
const eventEnd = Buffer.from('}\n')
