// etcdserverpb.Maintenance: the state of the one member that is asked.
import {
  decodeHashKvRequest,
  encodeAlarmResponse,
  encodeDowngradeResponse,
  encodeHashKvResponse,
  encodeHashResponse,
  encodeStatusResponse,
} from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { Method } from './method.ts'
import { snapshotMethod } from './snapshot.ts'

const noBytes = new Uint8Array(0)

export const maintenanceMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/Status',
    routes: ['/maintenance/status'],
    request: 'StatusRequest',
    response: 'StatusResponse',
    call: (member, _body, reply) => reply(undefined, encodeStatusResponse(member.status())),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/Hash',
    routes: ['/maintenance/hash'],
    request: 'HashRequest',
    response: 'HashResponse',
    call: (member, _body, reply) => member.maintenance.hash(encodeReply(reply, encodeHashResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/HashKV',
    routes: ['/maintenance/hashkv'],
    request: 'HashKVRequest',
    response: 'HashKVResponse',
    call: (member, body, reply) =>
      member.hashKv(decodeHashKvRequest(body).revision, encodeReply(reply, encodeHashKvResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/Alarm',
    routes: ['/maintenance/alarm'],
    request: 'AlarmRequest',
    response: 'AlarmResponse',
    call: (member, body, reply) =>
      member.maintenance.alarm(body, encodeReply(reply, encodeAlarmResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/Defragment',
    routes: ['/maintenance/defragment'],
    request: 'DefragmentRequest',
    response: 'DefragmentResponse',
    // etcd's reply has no header.
    call: (member, _body, reply) =>
      member.defragment((error) => reply(error, error === undefined ? noBytes : undefined)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/MoveLeader',
    routes: ['/maintenance/transfer-leadership'],
    request: 'MoveLeaderRequest',
    response: 'MoveLeaderResponse',
    call: (member, body, reply) =>
      // As of Defragment, etcd's reply has no header.
      member.cluster.moveLeader(body, (error) =>
        reply(error, error === undefined ? noBytes : undefined),
      ),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Maintenance/Downgrade',
    routes: ['/maintenance/downgrade'],
    request: 'DowngradeRequest',
    response: 'DowngradeResponse',
    call: (member, body, reply) =>
      member.cluster.downgrade(body, encodeReply(reply, encodeDowngradeResponse)),
  },
  snapshotMethod,
]
