// etcdserverpb.Auth: users, roles, and tokens for passwords.
import type { AuthCall } from '../../member/auth/auth-api.ts'
import { encodeMessage } from '../../proto/index.ts'
import type { MessageName } from '../../proto/index.ts'
import { encodeReply } from './method.ts'
import type { UnaryMethod } from './method.ts'

export const authMethods: readonly UnaryMethod[] = [
  method('enable', 'AuthEnable', '/auth/enable'),
  method('disable', 'AuthDisable', '/auth/disable'),
  method('status', 'AuthStatus', '/auth/status'),
  method('authenticate', 'Authenticate', '/auth/authenticate'),
  method('userAdd', 'UserAdd', '/auth/user/add'),
  method('userGet', 'UserGet', '/auth/user/get'),
  method('userList', 'UserList', '/auth/user/list'),
  method('userDelete', 'UserDelete', '/auth/user/delete'),
  method('userChangePassword', 'UserChangePassword', '/auth/user/changepw'),
  method('userGrantRole', 'UserGrantRole', '/auth/user/grant'),
  method('userRevokeRole', 'UserRevokeRole', '/auth/user/revoke'),
  method('roleAdd', 'RoleAdd', '/auth/role/add'),
  method('roleGet', 'RoleGet', '/auth/role/get'),
  method('roleList', 'RoleList', '/auth/role/list'),
  method('roleDelete', 'RoleDelete', '/auth/role/delete'),
  method('roleGrantPermission', 'RoleGrantPermission', '/auth/role/grant'),
  method('roleRevokePermission', 'RoleRevokePermission', '/auth/role/revoke'),
]

/** etcd's messages are named after the RPC, with Auth before it. */
function method(call: AuthCall, rpc: string, route: string): UnaryMethod {
  const name = rpc.startsWith('Auth') ? rpc : `Auth${rpc}`
  const response = `${name}Response` as MessageName
  return {
    kind: 'unary',
    path: `/etcdserverpb.Auth/${rpc}`,
    routes: [route],
    request: `${name}Request` as MessageName,
    response,
    call: (member, body, reply) =>
      member.auth.call(
        call,
        body,
        encodeReply(reply, (result) => encodeMessage(response, result)),
      ),
  }
}
