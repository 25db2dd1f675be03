// The two ends of a watch stream as a wire sees them.
import type { WatchCreateRequest, WatchResponse } from '../proto/messages.ts'

/** Where a watch stream's responses go: one wire connection or stream. */
export interface WatchSink {
  /**
   * Takes one response. False: the wire is full; no events come until WatchStream.resume() (the watchers fall behind and
   * catch up from history then, nothing is lost or queued).
   */
  send(response: WatchResponse): boolean
}

/** One client stream with any number of watchers (etcd's WatchServer stream). Responses to requests come in request order. */
export interface WatchStream {
  create(request: WatchCreateRequest): void
  cancel(watchId: number): void
  /** Asks for a progress notification (watchId -1) that is not ahead of any watcher of the stream. */
  requestProgress(): void
  resume(): void
  close(): void
}
