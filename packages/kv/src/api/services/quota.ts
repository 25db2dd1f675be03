// balsapb.Quota, beside etcd's services: what prefixes and users may have.
import type { MemberApi } from '../../member/types.ts'
import { encodeHeaderOnlyResponse, encodeQuotaListResponse } from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { UnaryMethod, Reply } from './method.ts'

export const quotaMethods: readonly UnaryMethod[] = [
  {
    kind: 'unary',
    path: '/balsapb.Quota/QuotaSet',
    routes: ['/quota/set'],
    request: 'QuotaSetRequest',
    response: 'QuotaSetResponse',
    call: change('set'),
  },
  {
    kind: 'unary',
    path: '/balsapb.Quota/QuotaRemove',
    routes: ['/quota/remove'],
    request: 'QuotaRemoveRequest',
    response: 'QuotaRemoveResponse',
    call: change('remove'),
  },
  {
    kind: 'unary',
    path: '/balsapb.Quota/QuotaList',
    routes: ['/quota/list'],
    request: 'QuotaListRequest',
    response: 'QuotaListResponse',
    call: (member, _body, reply) => {
      member.quotas.list(encodeReply(reply, encodeQuotaListResponse))
    },
  },
]

function change(
  name: 'set' | 'remove',
): (member: MemberApi, body: Uint8Array, reply: Reply) => void {
  return (member, body, reply) =>
    member.quotas[name](body, encodeReply(reply, encodeHeaderOnlyResponse))
}
