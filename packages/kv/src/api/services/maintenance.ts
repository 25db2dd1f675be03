// etcdserverpb.Maintenance: the state of the one member that is asked.
import { KvError } from '../../errors.ts'
import type { MemberApi } from '../../member/types.ts'
import type { AlarmResponse } from '../../proto/messages.ts'
import {
  decodeAlarmRequest,
  decodeHashKvRequest,
  encodeAlarmResponse,
  encodeHashKvResponse,
  encodeStatusResponse,
} from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { Method, Reply } from './method.ts'

const alarmActionGet = 0
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
    call: answerAlarm,
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
]

function answerAlarm(member: MemberApi, body: Uint8Array, reply: Reply): void {
  const { action, memberId, alarm } = decodeAlarmRequest(body)
  if (action !== alarmActionGet) throw new KvError('UNIMPLEMENTED')
  const encode = ({ header, alarms }: AlarmResponse): Uint8Array =>
    encodeAlarmResponse({
      header,
      alarms: alarms.filter(
        (raised) =>
          (memberId === 0n || raised.memberId === memberId) &&
          (alarm === 0 || raised.alarm === alarm),
      ),
    })
  member.alarms(encodeReply(reply, encode))
}
