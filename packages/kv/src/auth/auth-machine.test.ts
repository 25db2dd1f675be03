import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KvError } from '../errors.ts'
import type { Tables } from '../mvcc/tables.ts'
import { encodeAuthRequest, type AuthRequest, type AuthRequestName } from '../proto/index.ts'
import {
  AuthMachine,
  authOperation,
  encodeAuthCommand,
  encodeAuthentication,
  type AuthOperation,
} from './auth-machine.ts'
import { AuthStore } from './auth-store.ts'
import { decodeCaller, encodeCaller, owner, type KnownCaller } from './caller.ts'
import { SimpleTokens, tokensMax } from './simple-tokens.ts'

const seed = 20_261_121
const point = { index: 9, nowMs: 0 }

class MapTables implements Tables {
  readonly rows = new Map<string, Uint8Array>()

  get(key: string): Uint8Array | undefined {
    return this.rows.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.rows.set(key, value)
  }

  delete(key: string): void {
    this.rows.delete(key)
  }
}

function openMachine(): { machine: AuthMachine; tables: MapTables } {
  const tables = new MapTables()
  const options = { leasedKeys: () => [], tokenTtlMs: 1000 }
  return { machine: new AuthMachine(new AuthStore(tables), options), tables }
}

function reload(tables: MapTables): AuthStore {
  const store = new AuthStore(tables)
  for (const [key, value] of tables.rows) store.loadRow(key, value)
  return store
}

/** All that can be asked of it. */
function shown(store: AuthStore): unknown {
  return {
    isEnabled: store.isEnabled,
    revision: store.revision,
    users: store.userNames().map((name) => store.user(name)),
    roles: store.roleNames().map((name) => store.knownRole(name)),
  }
}

const name = fc.constantFrom('root', 'ann', 'bob', '', 'ÿ', '🦊')
const role = fc.constantFrom('root', 'r', 'evision', 's', '')
const key = fc.constantFrom('', 'a', 'b', '\0').map((text) => new Uint8Array(Buffer.from(text)))
const perm = fc.record({ permType: fc.integer({ min: 0, max: 3 }), key, rangeEnd: key })
const hashedPassword = fc.constantFrom('$2a$04$x', '')
const request = (
  operation: AuthOperation,
  message: AuthRequestName,
  fields: fc.Arbitrary<AuthRequest>,
): fc.Arbitrary<Uint8Array> =>
  fields.map((one) => encodeAuthCommand(operation, encodeAuthRequest(message, one)))
const command: fc.Arbitrary<Uint8Array> = fc.oneof(
  request('enable', 'AuthEnableRequest', fc.constant({})),
  request('disable', 'AuthDisableRequest', fc.constant({})),
  request('userAdd', 'AuthUserAddRequest', fc.record({ name, hashedPassword })),
  request('userDelete', 'AuthUserDeleteRequest', fc.record({ name })),
  request(
    'userChangePassword',
    'AuthUserChangePasswordRequest',
    fc.record({ name, hashedPassword }),
  ),
  request('userGrantRole', 'AuthUserGrantRoleRequest', fc.record({ user: name, role })),
  request('userRevokeRole', 'AuthUserRevokeRoleRequest', fc.record({ name, role })),
  request('roleAdd', 'AuthRoleAddRequest', fc.record({ name: role })),
  request('roleDelete', 'AuthRoleDeleteRequest', fc.record({ role })),
  request('roleGrantPermission', 'AuthRoleGrantPermissionRequest', fc.record({ name: role, perm })),
  request('roleRevokePermission', 'AuthRoleRevokePermissionRequest', fc.record({ role, key })),
  // What no member writes.
  fc
    .tuple(
      fc.constantFrom(...Object.values(authOperation), 0, 77),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([operation, bytes]) => new Uint8Array([operation, ...bytes])),
)

test('whatever the log holds, users and roles are those that the rows bring back, and a refusal changes nothing', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const { machine, tables } = openMachine()
      for (const one of commands) {
        const before = JSON.stringify(shown(machine.store))
        try {
          machine.apply(one, owner, point)
        } catch (reason) {
          expect(reason).toBeInstanceOf(KvError)
          expect(JSON.stringify(shown(machine.store))).toBe(before)
        }
      }
      expect(shown(reload(tables))).toEqual(shown(machine.store))
    }),
    { seed, numRuns: 500 },
  )
})

test('a token is given out only on the users and roles that the password was checked with', () => {
  const { machine } = openMachine()
  const run = (operation: AuthOperation, message: AuthRequestName, fields: AuthRequest): unknown =>
    machine.apply(encodeAuthCommand(operation, encodeAuthRequest(message, fields)), owner, point)
  const login = (revision: number): string => {
    const record = encodeAuthentication({ name: 'root', revision, prefix: 'abcdefghijklmnop' })
    return machine.apply(encodeAuthCommand('authenticate', record), { kind: 'stranger' }, point)
  }
  run('userAdd', 'AuthUserAddRequest', { name: 'root', hashedPassword: 'x' })
  expect(() => login(machine.store.revision)).toThrow('authentication is not enabled')
  run('userGrantRole', 'AuthUserGrantRoleRequest', { user: 'root', role: 'root' })
  run('enable', 'AuthEnableRequest', {})
  const token = login(machine.store.revision)
  expect([token, machine.tokens.use(token, 0)]).toEqual(['abcdefghijklmnop.9', 'root'])
  expect(() => login(machine.store.revision - 1)).toThrow('revision of auth store is old')
  run('userChangePassword', 'AuthUserChangePasswordRequest', { name: 'root', hashedPassword: 'y' })
  expect(machine.tokens.use(token, 0)).toBeUndefined()
})

test('a token lives as long as it is used, and the one unused longest makes room', () => {
  const tokens = new SimpleTokens(100)
  tokens.grant('a.1', 'ann', 0)
  expect([tokens.use('a.1', 99), tokens.use('a.1', 198), tokens.use('a.1', 298)]).toEqual([
    'ann',
    'ann',
    undefined,
  ])
  for (let i = 0; i < tokensMax; i++) tokens.grant(`t.${i}`, 'ann', 300)
  tokens.use('t.0', 301)
  tokens.grant('new', 'bob', 302)
  expect(tokens.size).toBe(tokensMax)
  expect([tokens.use('t.0', 303), tokens.use('t.1', 303)]).toEqual(['ann', undefined])
  tokens.forgetUser('ann')
  expect([tokens.size, tokens.use('new', 303)]).toEqual([1, 'bob'])
  tokens.grant('late', 'eve', 500)
  expect(tokens.size).toBe(1)
})

test('a caller comes back as it was, and hostile bytes are MALFORMED', () => {
  const caller: fc.Arbitrary<KnownCaller> = fc.oneof(
    fc.constant<KnownCaller>({ kind: 'owner' }),
    fc.record({
      kind: fc.constant('user' as const),
      name: fc.string({ unit: 'grapheme' }),
      revision: fc.nat(),
    }),
  )
  fc.assert(
    fc.property(caller, fc.uint8Array({ maxLength: 20 }), (one, rest) => {
      const head = encodeCaller(one)
      const bytes = new Uint8Array([...head, ...rest])
      expect(decodeCaller(bytes)).toEqual({ caller: one, command: rest })
    }),
    { seed },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      try {
        decodeCaller(bytes)
      } catch (reason) {
        expect(reason).toMatchObject({ code: 'MALFORMED' })
      }
    }),
    { seed },
  )
})
