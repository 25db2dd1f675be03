// etcdserverpb.Lease. Keep-alives of one stream are answered one by one, in the order they came.
import { KvError } from '../../errors.ts'
import {
  decodeLeaseKeepAliveRequest,
  decodeLeaseTimeToLiveRequest,
  encodeHeaderOnlyResponse,
  encodeLeaseGrantResponse,
  encodeLeaseKeepAliveResponse,
  encodeLeaseLeasesResponse,
  encodeLeaseTimeToLiveResponse,
} from '../../proto/index.ts'
import type { MemberApi } from '../../member/types.ts'
import { encodeReply } from './method.ts'
import type { Method, ReplyStream, RequestStream } from './method.ts'

/** Keep-alives of one stream that wait for their turn. */
export const keepAlivesPendingMax = 10_000

export const leaseMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/etcdserverpb.Lease/LeaseGrant',
    routes: ['/lease/grant'],
    request: 'LeaseGrantRequest',
    response: 'LeaseGrantResponse',
    call: (member, body, reply) =>
      member.leaseGrant(body, encodeReply(reply, encodeLeaseGrantResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Lease/LeaseRevoke',
    routes: ['/lease/revoke', '/kv/lease/revoke'],
    request: 'LeaseRevokeRequest',
    response: 'LeaseRevokeResponse',
    call: (member, body, reply) =>
      member.leaseRevoke(body, encodeReply(reply, encodeHeaderOnlyResponse)),
  },
  {
    kind: 'stream',
    path: '/etcdserverpb.Lease/LeaseKeepAlive',
    routes: ['/lease/keepalive'],
    request: 'LeaseKeepAliveRequest',
    response: 'LeaseKeepAliveResponse',
    open: openKeepAlive,
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Lease/LeaseTimeToLive',
    routes: ['/lease/timetolive', '/kv/lease/timetolive'],
    request: 'LeaseTimeToLiveRequest',
    response: 'LeaseTimeToLiveResponse',
    call: (member, body, reply) => {
      const { id, keys } = decodeLeaseTimeToLiveRequest(body)
      member.leaseTimeToLive(id, keys, encodeReply(reply, encodeLeaseTimeToLiveResponse))
    },
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Lease/LeaseLeases',
    routes: ['/lease/leases', '/kv/lease/leases'],
    request: 'LeaseLeasesRequest',
    response: 'LeaseLeasesResponse',
    call: (member, _body, reply) =>
      member.leaseLeases(encodeReply(reply, encodeLeaseLeasesResponse)),
  },
]

function openKeepAlive(member: MemberApi, out: ReplyStream): RequestStream {
  const pending: bigint[] = []
  let isBusy = false
  let isHalfClosed = false
  let isClosed = false

  function next(): void {
    const id = pending.shift()
    if (id === undefined) {
      if (isHalfClosed) out.end(undefined)
      return
    }
    isBusy = true
    member.leaseKeepAlive(id, (error, response) => {
      isBusy = false
      if (isClosed) return
      if (error !== undefined || response === undefined) {
        out.end(error ?? new KvError('INTERNAL'))
        return
      }
      out.send(encodeLeaseKeepAliveResponse(response))
      next()
    })
  }

  return {
    message: (body) => {
      if (pending.length >= keepAlivesPendingMax) throw new KvError('TOO_MANY_REQUESTS')
      pending.push(decodeLeaseKeepAliveRequest(body).id)
      if (!isBusy) next()
    },
    halfClosed: () => {
      isHalfClosed = true
      if (!isBusy) next()
    },
    writable: () => undefined,
    closed: () => {
      isClosed = true
      pending.length = 0
    },
  }
}
