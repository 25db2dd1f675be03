// etcdserverpb.Cluster: who the members are, and how that changes.
import {
  decodeMemberListRequest,
  encodeMemberAddResponse,
  encodeMemberListResponse,
} from '../../proto/index.ts'
import type { MemberApi } from '../../member/types.ts'
import { encodeReply } from './method.ts'
import type { Method, Reply } from './method.ts'

export const clusterMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/etcdserverpb.Cluster/MemberAdd',
    routes: ['/cluster/member/add'],
    request: 'MemberAddRequest',
    response: 'MemberAddResponse',
    call: (member, body, reply) =>
      member.cluster.add(body, encodeReply(reply, encodeMemberAddResponse)),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Cluster/MemberRemove',
    routes: ['/cluster/member/remove'],
    request: 'MemberRemoveRequest',
    response: 'MemberRemoveResponse',
    call: change('remove'),
  },
  {
    kind: 'unary',
    path: '/etcdserverpb.Cluster/MemberUpdate',
    routes: ['/cluster/member/update'],
    request: 'MemberUpdateRequest',
    response: 'MemberUpdateResponse',
    call: change('update'),
  },
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
  {
    kind: 'unary',
    path: '/etcdserverpb.Cluster/MemberPromote',
    routes: ['/cluster/member/promote'],
    request: 'MemberPromoteRequest',
    response: 'MemberPromoteResponse',
    call: change('promote'),
  },
]

/** Those whose reply is the list of members, as MemberList's is. */
function change(
  name: 'remove' | 'update' | 'promote',
): (member: MemberApi, body: Uint8Array, reply: Reply) => void {
  return (member, body, reply) =>
    member.cluster[name](body, encodeReply(reply, encodeMemberListResponse))
}
