// Draws what concerns users and roles, and who asks.
import type { SeededRandom } from '@balsa/raft/simulation'
import type { Json, Operation } from './operation.ts'

const users = ['root', 'u1', 'u2', 'u3']
const roles = ['root', 'r1', 'r2']
const passwords = ['p1', 'p2']
const permissions = ['READ', 'WRITE', 'READWRITE']
const permissionKeys = ['a', 'b', 'c', 'e/']
const permissionEnds = ['', '', 'b', 'd', 'e0', '\0', 'a']

/** Most often root, who may do all; undefined: nobody. */
export function drawUser(random: SeededRandom): string | undefined {
  if (random.chance(0.5)) return 'root'
  return random.chance(0.1) ? undefined : random.pick(users)
}

export function drawAuth(random: SeededRandom): Operation {
  const user = random.pick(users) ?? ''
  const role = random.pick(roles) ?? ''
  const password = random.pick(passwords) ?? ''
  const name = random.chance(0.02) ? '' : user
  const draws: readonly (() => [string, Json])[] = [
    () => ['UserAdd', { name, password }],
    () => ['UserAdd', { name, options: { no_password: true } }],
    // With a name: in etcd who shows no token has the empty one, and may look at that user.
    () => ['UserGet', { name: user }],
    () => ['UserList', {}],
    () => ['UserDelete', { name: user === 'root' && random.chance(0.9) ? 'u3' : name }],
    () => ['UserChangePassword', { name, password }],
    () => ['UserGrantRole', { user: name, role }],
    () => ['UserRevokeRole', { name, role: role === 'root' && user === 'root' ? 'r1' : role }],
    () => ['RoleAdd', { name: random.chance(0.02) ? '' : role }],
    () => ['RoleGet', { role }],
    () => ['RoleList', {}],
    () => ['RoleDelete', { role }],
    () => ['RoleGrantPermission', { name: role, ...permission(random) }],
    () => ['RoleRevokePermission', { role, ...range(random) }],
    () => ['AuthEnable', {}],
    () => ['AuthDisable', {}],
    () => ['Authenticate', { name: user, password }],
    () => ['Authenticate', { name: user, password }],
    () => ['Authenticate', { name: 'root', password }],
    () => ['Authenticate', { name: 'nobody', password }],
    () => ['UserAdd', { name: 'root', password: 'p1' }],
    () => ['UserGrantRole', { user: 'root', role: 'root' }],
  ]
  const [method, body] = (random.pick(draws) ?? draws[0])?.() ?? ['UserList', {}]
  const as = random.chance(0.9) ? 'root' : drawUser(random)
  return {
    type: 'call',
    method: `Auth/${method}`,
    body,
    ...(as === undefined || method === 'Authenticate' ? {} : { as }),
  }
}

function range(random: SeededRandom): Json {
  return { key: random.pick(permissionKeys) ?? '', range_end: random.pick(permissionEnds) ?? '' }
}

/** Never left out: 3.4 does not look whether it is there. */
function permission(random: SeededRandom): Json {
  return { perm: { permType: random.pick(permissions) ?? 'READ', ...range(random) } }
}
