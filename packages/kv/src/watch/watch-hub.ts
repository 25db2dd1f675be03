// Tells watchers what changed. A synced watcher has seen everything and is told at once; an unsynced one (it asked for history, or
// its wire was full) catches up from the recent events or from the tables, in batches of whole revisions, and then joins the others.
// Nothing is queued for a slow watcher: its place in history is all there is.
import { assert } from '@balsa/raft/assert'
import { isInRange } from '../mvcc/key-range.ts'
import type { Change } from '../mvcc/change.ts'
import type { EncodedEvent, EncodedKeyValue } from '../proto/messages.ts'
import { RecentEvents } from './recent-events.ts'
import { WatchEvent } from './watch-event.ts'
import { encodeEvents, type Watcher } from './watcher.ts'
import { WatcherIndex, type WatcherGroup } from './watcher-index.ts'

/** Bounds of what is kept, and of one step of catching up. */
export interface WatchLimits {
  /** Rows of recent events kept in memory. */
  readonly recentSizeBytesMax: number
  readonly catchUpWatchersMax: number
  readonly catchUpRevisionsMax: number
  readonly catchUpSizeBytesMax: number
}
export const watchLimits: WatchLimits = {
  recentSizeBytesMax: 8 * 2 ** 20,
  catchUpWatchersMax: 512,
  catchUpRevisionsMax: 1000,
  catchUpSizeBytesMax: 2 ** 20,
}

/** What the hub asks of the store. */
export interface WatchedStore {
  readonly revision: number
  readonly compactRevision: number
  readPrevious(change: Change): EncodedKeyValue | undefined
}

/** Events of whole revisions, in order: all those from the asked revision up to and including `through`. */
export interface HistoryBatch {
  readonly events: readonly WatchEvent[]
  readonly through: number
}

/** Reads old events from the tables; calls back once, at any time. Undefined: the tables were replaced, ask again. */
export type ReadHistory = (
  fromRevision: number,
  toRevision: number,
  done: (batch: HistoryBatch | undefined) => void,
) => void

export class WatchHub {
  readonly #readHistory: ReadHistory
  readonly #limits: WatchLimits
  /** Runs a callback after the current turn. */
  readonly #defer: (callback: () => void) => void
  readonly #synced = new WatcherIndex()
  readonly #syncedWatchers = new Set<Watcher>()
  readonly #unsynced = new Set<Watcher>()
  #store: WatchedStore
  #recent: RecentEvents
  /** Synced watchers have seen everything up to here. */
  #revision: number
  #isCatchUpDue = false
  #isReadingHistory = false
  #isTelling = false
  #eventsSent = 0

  constructor(
    store: WatchedStore,
    readHistory: ReadHistory,
    defer: (callback: () => void) => void,
    limits: WatchLimits = watchLimits,
  ) {
    this.#store = store
    this.#limits = limits
    this.#readHistory = readHistory
    this.#defer = defer
    this.#revision = store.revision
    this.#recent = new RecentEvents(store.revision + 1, this.#limits.recentSizeBytesMax)
  }

  get revision(): number {
    return this.#revision
  }

  /** True while events of `revision` are still on their way to the streams. */
  get isTelling(): boolean {
    return this.#isTelling
  }

  get counts(): { watchers: number; slow: number; eventsSent: number } {
    const slow = this.#unsynced.size
    return { watchers: this.#syncedWatchers.size + slow, slow, eventsSent: this.#eventsSent }
  }

  /** Takes the changes of one or more revisions, in order, right after they were applied. */
  notify(changes: readonly Change[]): void {
    const first = changes[0]
    if (first === undefined) return
    assert(first.main === this.#revision + 1, 'no revision is left out or told twice')
    this.#revision = this.#store.revision
    const store = this.#store
    const events = changes.map((change) => new WatchEvent(change, () => store.readPrevious(change)))
    this.#recent.add(events)
    const touched = new Set<WatcherGroup>()
    const visit = (group: WatcherGroup, event: WatchEvent): void => {
      group.pending.push(event)
      touched.add(group)
    }
    for (const event of events) this.#synced.visit(event.key, (group) => visit(group, event))
    this.#isTelling = true
    for (const group of touched) this.#tellGroup(group, first.main)
    this.#isTelling = false
  }

  later(callback: () => void): void {
    this.#defer(callback)
  }

  /** Adds a watcher whose created response was sent. */
  add(watcher: Watcher): void {
    if (watcher.nextRevision > this.#revision) this.#join(watcher)
    else {
      this.#unsynced.add(watcher)
      this.#wake()
    }
  }

  remove(watcher: Watcher): void {
    if (!this.#syncedWatchers.delete(watcher)) this.#unsynced.delete(watcher)
    else this.#synced.remove(watcher)
  }

  /** A stream's wire has room again. */
  resumed(): void {
    if (this.#unsynced.size > 0) this.#wake()
  }

  /** The store was compacted: watchers that need what is gone are told so. */
  compacted(): void {
    if (this.#unsynced.size > 0) this.#wake()
  }

  /** The state was replaced by a snapshot: everyone catches up with it, and nobody goes back in time. */
  restored(store: WatchedStore): void {
    this.#store = store
    for (const watcher of this.#syncedWatchers) {
      this.#synced.remove(watcher)
      watcher.isSynced = false
      watcher.nextRevision = Math.max(watcher.nextRevision, this.#revision + 1)
      this.#unsynced.add(watcher)
    }
    this.#syncedWatchers.clear()
    this.#revision = store.revision
    this.#recent = new RecentEvents(store.revision + 1, this.#limits.recentSizeBytesMax)
    this.#wake()
  }

  /** One round of progress notifications for synced watchers that asked for them and heard nothing since the last round. */
  notifyProgress(): void {
    for (const watcher of this.#syncedWatchers) {
      if (!watcher.progressNotify || watcher.target.isBlocked) continue
      if (watcher.isActive) watcher.isActive = false
      else if (watcher.startRevision <= this.#revision) {
        watcher.target.sendProgress(watcher, this.#revision)
      }
    }
  }

  #tellGroup(group: WatcherGroup, firstRevision: number): void {
    const events = group.pending
    group.pending = []
    for (const [form, watchers] of group.forms) {
      const shared = encodeEvents(events, form)
      if (shared.length === 0) continue
      for (const watcher of watchers) {
        if (watcher.target.isBlocked) this.#fallBehind(watcher, firstRevision)
        else if (watcher.nextRevision <= firstRevision) this.#send(watcher, shared, this.#revision)
        else {
          const wanted = events.filter((event) => event.revision >= watcher.nextRevision)
          const encoded = encodeEvents(wanted, form)
          if (encoded.length > 0) this.#send(watcher, encoded, this.#revision)
        }
      }
    }
  }

  /** `through`: this watcher has seen everything up to there now. */
  #send(watcher: Watcher, events: readonly EncodedEvent[], through: number): void {
    watcher.isActive = true
    this.#eventsSent += events.length
    watcher.target.sendEvents(watcher, events, through)
  }

  #fallBehind(watcher: Watcher, firstRevision: number): void {
    this.#synced.remove(watcher)
    this.#syncedWatchers.delete(watcher)
    watcher.isSynced = false
    watcher.nextRevision = Math.max(watcher.nextRevision, firstRevision)
    this.#unsynced.add(watcher)
  }

  #join(watcher: Watcher): void {
    this.#unsynced.delete(watcher)
    this.#synced.add(watcher)
    this.#syncedWatchers.add(watcher)
    watcher.isSynced = true
    watcher.target.watcherSynced()
  }

  #wake(): void {
    if (this.#isCatchUpDue || this.#isReadingHistory) return
    this.#isCatchUpDue = true
    this.#defer(() => {
      this.#isCatchUpDue = false
      this.#catchUp()
    })
  }

  /** One step for those that can take events. */
  #catchUp(): void {
    const watchers = this.#takeBehind()
    if (watchers.length === 0) return
    let from = Infinity
    for (const { nextRevision } of watchers) from = Math.min(from, nextRevision)
    if (from >= this.#recent.firstRevision) {
      const { catchUpRevisionsMax, catchUpSizeBytesMax } = this.#limits
      const events = this.#recent.from(from, catchUpRevisionsMax, catchUpSizeBytesMax)
      this.#tellBehind(watchers, { events, through: this.#throughOf(events) })
      return
    }
    const store = this.#store
    this.#isReadingHistory = true
    this.#readHistory(from, this.#revision, (batch) => {
      this.#isReadingHistory = false
      if (batch === undefined || store !== this.#store) this.#wake()
      else this.#tellBehind(watchers, batch)
    })
  }

  /** Watchers to serve now. Those whose history is gone are ended, those that miss nothing join the synced. */
  #takeBehind(): Watcher[] {
    const behind: Watcher[] = []
    for (const watcher of this.#unsynced) {
      if (watcher.target.isBlocked) continue
      const { compactRevision } = this.#store
      if (watcher.nextRevision < compactRevision) {
        this.#unsynced.delete(watcher)
        watcher.target.sendCompacted(watcher, compactRevision)
      } else if (watcher.nextRevision > this.#revision) this.#join(watcher)
      else if (behind.push(watcher) === this.#limits.catchUpWatchersMax) break
    }
    return behind
  }

  /** If the recent events end within their limits, they reach up to now. */
  #throughOf(events: readonly WatchEvent[]): number {
    const last = events.at(-1)
    return last === undefined ? this.#revision : last.revision
  }

  #tellBehind(watchers: readonly Watcher[], batch: HistoryBatch): void {
    const shared = new Map<string, EncodedEvent[]>()
    for (const watcher of watchers) {
      if (!this.#unsynced.has(watcher) || watcher.target.isBlocked) continue
      // Compacted while the history was read: the next step ends it.
      if (watcher.nextRevision < this.#store.compactRevision) continue
      if (watcher.nextRevision > batch.through) continue
      const events = wantedEvents(watcher, batch.events, shared)
      watcher.nextRevision = batch.through + 1
      if (events.length > 0) this.#send(watcher, events, batch.through)
      if (this.#unsynced.has(watcher) && batch.through === this.#revision) this.#join(watcher)
    }
    // Served watchers go to the end of the line.
    for (const watcher of watchers) {
      if (this.#unsynced.delete(watcher)) this.#unsynced.add(watcher)
    }
    for (const watcher of this.#unsynced) {
      if (watcher.target.isBlocked) continue
      this.#wake()
      return
    }
  }
}

/** Watchers that fell behind together want the same events: they are encoded once for all of them. */
function wantedEvents(
  watcher: Watcher,
  events: readonly WatchEvent[],
  shared: Map<string, EncodedEvent[]>,
): EncodedEvent[] {
  const { range, form, nextRevision } = watcher
  const to = range.to === undefined ? '' : `+${range.to}`
  const key = `${nextRevision} ${form} ${range.from.length} ${range.from}${to}`
  const known = shared.get(key)
  if (known !== undefined) return known
  const wanted = events.filter(
    (event) => event.revision >= nextRevision && isInRange(range, event.key),
  )
  const encoded = encodeEvents(wanted, form)
  shared.set(key, encoded)
  return encoded
}
