// etcdserverpb.Cluster: who the members are.
import { decodeMemberListRequest, encodeMemberListResponse } from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { Method } from './method.ts'

export const clusterMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/etcdserverpb.Cluster/MemberList',
    routes: ['/cluster/member/list'],
    request: 'MemberListRequest',
    response: 'MemberListResponse',
    call: (member, body, reply) => {
      const { linearizable } = decodeMemberListRequest(body)
      member.memberList(linearizable, encodeReply(reply, encodeMemberListResponse))
    },
  },
]
