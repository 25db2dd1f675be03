// Users and roles of a run: root may do everything, ann what her role lets her, which changes, bob reads everything and writes one prefix.
// Somebody who has no name asks too.
import type { SeededRandom } from '@balsa/raft/simulation'
import { encodeAuthRequest, type AuthRequestName } from '../proto/index.ts'
import type { AuthCall } from '../member/auth/auth-api.ts'
import { KvError } from '../errors.ts'
import type { MemberApi } from '../member/types.ts'
import type { Operator, Deed } from './operator.ts'
import type { Timeline } from './timeline.ts'

export type UserName = 'root' | 'ann' | 'bob'

/** `open`: permissions are off. With `wide` ann may read and write what lies below b/ too. */
export type UsersState = 'open' | 'narrow' | 'wide'

const users: readonly (UserName | undefined)[] = [
  'root',
  'root',
  'root',
  'ann',
  'ann',
  'bob',
  undefined,
]
const readWrite = 2
/** Until somebody begins to make them. */
const setupMs = 100
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const below = (prefix: string): { key: Uint8Array; rangeEnd: Uint8Array } => ({
  key: bytes(`${prefix}/`),
  rangeEnd: bytes(`${prefix}0`),
})
const everything = { key: bytes('\0'), rangeEnd: bytes('\0') }

function deed(
  call: AuthCall,
  message: AuthRequestName,
  request: Parameters<typeof encodeAuthRequest>[1],
): Deed {
  return {
    name: `${call} ${JSON.stringify(request)}`,
    start: (core, done) => core.auth.call(call, encodeAuthRequest(message, request), done),
    isDone: ({ code }) => code === 'USER_EXISTS' || code === 'ROLE_EXISTS',
  }
}

function grant(
  role: string,
  permType: number,
  range: { key: Uint8Array; rangeEnd: Uint8Array },
): Deed {
  const request = { name: role, perm: { permType, ...range } }
  return deed('roleGrantPermission', 'AuthRoleGrantPermissionRequest', request)
}

const user = (name: UserName): Deed =>
  deed('userAdd', 'AuthUserAddRequest', { name, options: { noPassword: true } })
const role = (name: string): Deed => deed('roleAdd', 'AuthRoleAddRequest', { name })
const give = (user: UserName, role: string): Deed =>
  deed('userGrantRole', 'AuthUserGrantRoleRequest', { user, role })

const setup: readonly Deed[] = [
  role('red'),
  role('blue'),
  grant('red', readWrite, below('a')),
  grant('blue', 0, everything),
  grant('blue', readWrite, below('b')),
  user('root'),
  user('ann'),
  user('bob'),
  give('root', 'root'),
  give('ann', 'red'),
  give('bob', 'blue'),
]
const enable = deed('enable', 'AuthEnableRequest', {})
const widen = grant('red', readWrite, below('b'))
const narrow: Deed = {
  ...deed('roleRevokePermission', 'AuthRoleRevokePermissionRequest', {
    role: 'red',
    ...below('b'),
  }),
  isDone: (error: KvError) => error.code === 'PERMISSION_NOT_GRANTED',
}

/** The member as that user may use it: by the name of a certificate. */
export function viewOf(api: MemberApi, user: UserName | undefined): MemberApi {
  return user === undefined ? api : api.as({ commonName: user })
}

export interface SimUsersOptions {
  readonly operator: Operator
  readonly random: SeededRandom
  readonly everyMs: number
  readonly timeline: Timeline<UsersState>
}

export class SimUsers {
  readonly #options: SimUsersOptions

  constructor(options: SimUsersOptions) {
    this.#options = options
    options.operator.later(setupMs, () => this.#setUp(0))
  }

  /** Who makes the next request. */
  draw(): UserName | undefined {
    return this.#options.random.pick(users)
  }

  #setUp(step: number): void {
    const { operator, timeline } = this.#options
    const next = setup[step]
    if (next !== undefined) operator.insist(next, () => this.#setUp(step + 1))
    else {
      timeline.begin('narrow')
      // Once more does no harm: nobody turns them off again.
      operator.insist(enable, () => {
        timeline.settle(true)
        this.#change('wide')
      })
    }
  }

  #change(state: 'wide' | 'narrow'): void {
    const { operator, timeline, everyMs } = this.#options
    operator.later(everyMs, () => {
      timeline.begin(state)
      operator.insist(state === 'wide' ? widen : narrow, (isOnce) => {
        timeline.settle(isOnce)
        this.#change(state === 'wide' ? 'narrow' : 'wide')
      })
    })
  }
}
