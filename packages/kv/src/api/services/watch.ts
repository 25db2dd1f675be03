// etcdserverpb.Watch: one stream carries any number of watches. The member keeps the order; this file only translates.
import { decodeWatchRequest, encodeWatchResponse } from '../../proto/index.ts'
import type { MemberApi } from '../../member/types.ts'
import type { Method, ReplyStream, RequestStream } from './method.ts'

export const watchMethods: readonly Method[] = [
  {
    kind: 'stream',
    path: '/etcdserverpb.Watch/Watch',
    routes: ['/watch'],
    request: 'WatchRequest',
    response: 'WatchResponse',
    open: openWatch,
  },
]

function openWatch(member: MemberApi, out: ReplyStream): RequestStream {
  const stream = member.openWatchStream({
    send: (response) => out.send(encodeWatchResponse(response)),
  })
  return {
    message: (body) => {
      const request = decodeWatchRequest(body)
      // As in etcd, one of a kind that is not known is passed over.
      if (request === undefined) return
      if (request.type === 'create') stream.create(request.request)
      else if (request.type === 'cancel') stream.cancel(request.watchId)
      else stream.requestProgress()
    },
    // As in etcd, a client that sends no more goes on to get events.
    halfClosed: () => undefined,
    writable: () => stream.resume(),
    closed: () => stream.close(),
  }
}
