// The Watch service's messages. Events are copied in as they were encoded once.
import type { EncodedEvent, WatchCreateRequest, WatchResponse } from './messages.ts'
import { writeHeader } from './response-header.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'
import type { MessageObject } from './wire/message-codec.ts'
import { sharedWriter } from './wire/shared-writer.ts'

export type WatchRequest =
  | { readonly type: 'create'; readonly request: WatchCreateRequest }
  | { readonly type: 'cancel'; readonly watchId: number }
  | { readonly type: 'progress' }

/** Undefined: a request of no kind that is known, to be passed over. */
export function decodeWatchRequest(bytes: Uint8Array): WatchRequest | undefined {
  const union = decodeMessage('WatchRequest', bytes)
  if (union['createRequest'] !== undefined) {
    return { type: 'create', request: union['createRequest'] as unknown as WatchCreateRequest }
  }
  if (union['cancelRequest'] !== undefined) {
    const { watchId } = union['cancelRequest'] as MessageObject
    return { type: 'cancel', watchId: Number(watchId) }
  }
  if (union['progressRequest'] !== undefined) return { type: 'progress' }
  return undefined
}

export function encodeWatchRequest(request: WatchRequest): Uint8Array {
  switch (request.type) {
    case 'create':
      return encodeMessage('WatchRequest', { createRequest: request.request })
    case 'cancel':
      return encodeMessage('WatchRequest', { cancelRequest: { watchId: request.watchId } })
    case 'progress':
      return encodeMessage('WatchRequest', { progressRequest: {} })
  }
}

export function encodeWatchResponse(response: WatchResponse): Uint8Array {
  const writer = sharedWriter.begin(96 + sizeOfAll(response.events))
  writeHeader(writer, response.header)
  writer.int64(2, response.watchId)
  writer.bool(3, response.created)
  writer.bool(4, response.canceled)
  writer.int64(5, response.compactRevision)
  writer.string(6, response.cancelReason)
  writer.bool(7, response.fragment)
  for (const event of response.events) writer.encoded(11, event)
  return writer.finish()
}

export function decodeWatchResponse(bytes: Uint8Array): WatchResponse {
  return decodeMessage('WatchResponse', bytes) as unknown as WatchResponse
}

function sizeOfAll(events: readonly EncodedEvent[]): number {
  let size = 0
  for (const event of events) size += event.length + 6
  return size
}
