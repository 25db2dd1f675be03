// Draws what concerns users and roles, and who asks.
import type { SeededRandom } from '@balsa/raft/simulation'
import { call, type Json, type Operation } from './operation.ts'

const users = ['root', 'u1', 'u2', 'u3']
const roles = ['root', 'r1', 'r2']
const passwords = ['p1', 'p2']
const permissions = ['READ', 'WRITE', 'READWRITE']
const permissionKeys = ['a', 'b', 'c', 'e/']
const permissionEnds = ['', '', 'b', 'd', 'e0', '\0', 'a']

/** Most often root, who may do all; undefined: nobody. `isRoots`: it is refused for most others. */
export function drawUser(random: SeededRandom, isRoots: boolean = false): string | undefined {
  if (random.chance(isRoots ? 0.9 : 0.5)) return 'root'
  return random.chance(0.1) ? undefined : random.pick(users)
}

export function drawAuth(random: SeededRandom): readonly Operation[] {
  const dice = random.next()
  if (dice < 0.06) return enable(random)
  if (dice < 0.1) return [call('Auth/AuthDisable', {}, 'root')]
  if (dice < 0.14) return signIn()
  return drawChange(random)
}

/** All that it takes, as far as it is not there yet, and all users at once. */
function enable(random: SeededRandom): readonly Operation[] {
  return [
    call('Auth/UserAdd', { name: 'root', password: 'p1' }, 'root'),
    call('Auth/UserGrantRole', { user: 'root', role: 'root' }, 'root'),
    ...drawChange(random),
    call('Auth/AuthEnable', {}, 'root'),
    ...signIn(),
  ]
}

function signIn(): readonly Operation[] {
  return users.flatMap((name) =>
    passwords.map((password) => call('Auth/Authenticate', { name, password })),
  )
}

function drawChange(random: SeededRandom): readonly Operation[] {
  const user = random.pick(users) ?? ''
  const role = random.pick(roles) ?? ''
  const password = random.pick(passwords) ?? ''
  const name = random.chance(0.02) ? '' : user
  const draws: readonly (() => [string, Json])[] = [
    () => ['UserAdd', { name, password }],
    // Where root cannot sign in nothing else happens any more.
    () => ['UserAdd', { name: user === 'root' ? 'u1' : name, options: { no_password: true } }],
    () => ['UserGet', { name }],
    () => ['UserList', {}],
    () => ['UserDelete', { name: user === 'root' && random.chance(0.9) ? 'u3' : name }],
    () => ['UserChangePassword', { name, password }],
    () => ['UserGrantRole', { user: name, role }],
    () => ['UserGrantRole', { user: name, role }],
    () => ['UserRevokeRole', { name, role: role === 'root' && user === 'root' ? 'r1' : role }],
    () => ['RoleAdd', { name: random.chance(0.02) ? '' : role }],
    () => ['RoleGet', { role }],
    () => ['RoleList', {}],
    () => ['RoleDelete', { role }],
    () => ['RoleGrantPermission', { name: role, ...permission(random) }],
    () => ['RoleGrantPermission', { name: role, ...permission(random) }],
    () => ['RoleRevokePermission', { role, ...range(random) }],
    () => ['AuthEnable', {}],
    () => ['Authenticate', { name: user, password }],
    () => ['Authenticate', { name: 'root', password }],
    () => ['Authenticate', { name: 'nobody', password }],
  ]
  const [method, body] = (random.pick(draws) ?? draws[0])?.() ?? ['UserList', {}]
  const as = random.chance(0.9) ? 'root' : drawUser(random)
  const change = call(`Auth/${method}`, body, method === 'Authenticate' ? undefined : as)
  if (method === 'AuthEnable' && random.chance(0.8)) return [change, ...signIn()]
  return method === 'UserChangePassword' && random.chance(0.7)
    ? [change, call('Auth/Authenticate', { name, password })]
    : [change]
}

function range(random: SeededRandom): Json {
  return { key: random.pick(permissionKeys) ?? '', range_end: random.pick(permissionEnds) ?? '' }
}

/** Never left out: 3.4 does not look whether it is there. */
function permission(random: SeededRandom): Json {
  return { perm: { permType: random.pick(permissions) ?? 'READ', ...range(random) } }
}
