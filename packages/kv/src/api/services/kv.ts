// etcdserverpb.KV
import {
  encodeDeleteRangeResponse,
  encodeHeaderOnlyResponse,
  encodePutResponse,
  encodeRangeResponse,
  encodeTxnResponse,
} from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { Method } from './method.ts'
import { rangeStreamMethod } from './range-stream.ts'

export const kvMethods: readonly Method[] = [
  rangeStreamMethod,
  {
    kind: 'unary',
    path: '/etcdserverpb.KV/Range',
    routes: ['/kv/range'],
    request: 'RangeRequest',
    response: 'RangeResponse',
    call: (member, body, reply) => member.range(body, encodeReply(reply, encodeRangeResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.KV/Put',
    routes: ['/kv/put'],
    request: 'PutRequest',
    response: 'PutResponse',
    call: (member, body, reply) => member.put(body, encodeReply(reply, encodePutResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.KV/DeleteRange',
    routes: ['/kv/deleterange'],
    request: 'DeleteRangeRequest',
    response: 'DeleteRangeResponse',
    call: (member, body, reply) =>
      member.deleteRange(body, encodeReply(reply, encodeDeleteRangeResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.KV/Txn',
    routes: ['/kv/txn'],
    request: 'TxnRequest',
    response: 'TxnResponse',
    call: (member, body, reply) => member.txn(body, encodeReply(reply, encodeTxnResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.KV/Compact',
    routes: ['/kv/compaction'],
    request: 'CompactionRequest',
    response: 'CompactionResponse',
    call: (member, body, reply) =>
      member.compact(body, encodeReply(reply, encodeHeaderOnlyResponse)),
  },
]
