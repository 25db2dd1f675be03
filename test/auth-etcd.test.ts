// Users, roles and permissions: the same requests by the same callers to real etcd and to Balsa must be answered alike, refusals included.
// Where Balsa is stricter than etcd 3.4 on purpose, the test says so.
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { GrpcServices } from './grpc-services.ts'
import type { Reply, ServiceCallError } from './grpc-services.ts'
import { missing } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}

/** '' is nobody, '?' somebody with a token that nobody gave out; all others log in. */
type Step = readonly [as: string, method: string, request?: object | undefined]

const passwords: Record<string, string> = { root: 'secret of root', ann: 'a', bob: '', eve: 'e' }
const seed = 20_261_121

function key(text: string): Buffer {
  return Buffer.from(text)
}

/** An end that is there but empty is not left out on the wire by this library, and means 'all from the key on' to etcd 3.4. */
function rangeOf(from: string, end = ''): object {
  return end === '' ? { key: key(from) } : { key: key(from), range_end: key(end) }
}

function permission(name: string, permType: string | number, from: string, end = ''): object {
  return { name, perm: { permType, ...rangeOf(from, end) } }
}

/** What may differ between two servers that behave the same. */
function mask(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]): [string, unknown] => {
      const isOwn = /^(cluster_id|member_id|raft_term|token|TTL)$/.test(name)
      return [name, isOwn ? 'OWN' : mask(field)]
    }),
  )
}

/** One server and the tokens that its users have. */
class Client {
  readonly #services: GrpcServices
  readonly #tokens = new Map<string, string>()

  constructor(server: Server) {
    this.#services = new GrpcServices(server.url)
  }

  /** What came of it, as it can be compared. */
  async play([as, method, request = {}]: Step): Promise<unknown> {
    try {
      const metadata = await this.#metadata(as)
      return mask(await this.#services.unary(method, request, metadata))
    } catch (reason) {
      const { code, details } = reason as ServiceCallError
      return `${code} ${details}`
    }
  }

  /** The first answer to each watch. */
  async watch(as: string, requests: readonly object[]): Promise<unknown[]> {
    const stream = this.#services.stream('Watch.Watch', await this.#metadata(as))
    const answers: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', (reply: Reply) => {
        answers.push(mask({ ...reply, header: undefined }))
        if (answers.length === requests.length) resolve()
      })
      for (const request of requests) stream.write({ create_request: request })
    })
    stream.removeAllListeners('error').on('error', () => stream.destroy())
    stream.cancel()
    return answers
  }

  /** Tokens that a server has thrown away. */
  forget(...users: string[]): void {
    for (const user of users) this.#tokens.delete(user)
  }

  close(): void {
    this.#services[Symbol.dispose]()
  }

  async #metadata(as: string): Promise<grpc.Metadata> {
    const metadata = new grpc.Metadata()
    if (as === '?') metadata.set('token', 'abcdefghijklmnop.1')
    else if (as !== '') metadata.set('token', await this.#token(as))
    return metadata
  }

  async #token(name: string): Promise<string> {
    const known = this.#tokens.get(name)
    if (known !== undefined) return known
    const request = { name, password: passwords[name] ?? '' }
    const { token } = await this.#services.unary('Auth.Authenticate', request)
    this.#tokens.set(name, String(token))
    return String(token)
  }
}

/** Users, roles and permissions are in force; `ann` has role r, `bob` none. */
const setUp: readonly Step[] = [
  ['', 'Auth.UserAdd', { name: 'root', password: passwords['root'] }],
  ['', 'Auth.UserGrantRole', { user: 'root', role: 'root' }],
  ['', 'Auth.UserAdd', { name: 'ann', password: passwords['ann'] }],
  ['', 'Auth.UserAdd', { name: 'bob', password: passwords['bob'] }],
  ['', 'Auth.RoleAdd', { name: 'r' }],
  ['', 'Auth.RoleAdd', { name: 'unused' }],
  ['', 'Auth.UserGrantRole', { user: 'ann', role: 'r' }],
  ['', 'Auth.RoleGrantPermission', permission('r', 'READWRITE', 'c', 'd')],
  ['', 'Auth.RoleGrantPermission', permission('r', 'READ', 'd', 'f')],
  ['', 'Auth.RoleGrantPermission', permission('r', 'WRITE', 'w')],
  ['', 'Auth.AuthEnable'],
]

describe.skipIf(missing('etcd'))('users and roles', () => {
  let servers: Server[]
  let clients: Client[]
  beforeAll(async () => {
    servers = await Promise.all([startEtcd(), openBalsaMember()])
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    for (const client of clients ?? []) client.close()
    clients = servers.map((server) => new Client(server))
    await same([
      ['root', 'Auth.AuthDisable'],
      ['', 'KV.DeleteRange', { key: key('\0'), range_end: key('\0') }],
      ...['root', 'ann', 'bob', 'eve'].map((name): Step => ['', 'Auth.UserDelete', { name }]),
      ...['r', 'unused', 'r1', 'r2'].map((role): Step => ['', 'Auth.RoleDelete', { role }]),
    ])
    for (const client of clients) client.forget('root')
  })
  afterAll(() => {
    for (const client of clients) client.close()
  })

  async function same(steps: readonly Step[]): Promise<unknown[]> {
    const scripts = await Promise.all(
      clients.map(async (client) => {
        const script: [Step, unknown][] = []
        for (const step of steps) script.push([step, await client.play(step)])
        return script
      }),
    )
    expect(scripts[1]).toEqual(scripts[0])
    return (scripts[1] ?? []).map(([, answer]) => answer)
  }

  /** Answers of Balsa to what etcd 3.4 lets pass or words in another way. */
  async function stricter(steps: readonly Step[], answers: readonly unknown[]): Promise<void> {
    const given: unknown[] = []
    for (const step of steps) given.push(await clients[1]?.play(step))
    expect(given).toEqual(answers)
  }

  test('users and roles are made, listed, changed and deleted alike, with permissions off', async () => {
    await same([
      ['', 'Auth.UserAdd', { name: '', password: 'x' }],
      ['', 'Auth.UserAdd', { name: 'ann', password: '' }],
      ['', 'Auth.UserAdd', { name: 'ann', password: 'x' }],
      ['', 'Auth.UserAdd', { name: 'bob', password: 'x', options: { no_password: true } }],
      ['', 'Auth.UserGet', { name: 'none' }],
      ['', 'Auth.UserGet', { name: '' }],
      ['', 'Auth.UserDelete', { name: 'none' }],
      ['', 'Auth.UserChangePassword', { name: 'none', password: 'x' }],
      ['', 'Auth.UserChangePassword', { name: 'ann', password: '' }],
      ['', 'Auth.RoleAdd', { name: '' }],
      ['', 'Auth.RoleAdd', { name: 'r2' }],
      ['', 'Auth.RoleAdd', { name: 'r' }],
      ['', 'Auth.RoleAdd', { name: 'r' }],
      ['', 'Auth.RoleAdd', { name: 'r1' }],
      ['', 'Auth.RoleList'],
      // Of several grants of one key only the first is looked at when one is given again.
      ['', 'Auth.RoleGrantPermission', permission('r1', 'READWRITE', 'c', 'd')],
      ['', 'Auth.RoleGrantPermission', permission('r1', 'READ', 'c', 'z')],
      ['', 'Auth.RoleGrantPermission', permission('r1', 'WRITE', 'c', 'd')],
      ['', 'Auth.RoleGrantPermission', permission('r1', 'WRITE', 'c', 'z')],
      ['', 'Auth.RoleGet', { role: 'r1' }],
      ['', 'Auth.RoleGet', { role: 'none' }],
      ['', 'Auth.RoleGet', { role: 'root' }],
      ['', 'Auth.UserGrantRole', { user: 'none', role: 'r' }],
      ['', 'Auth.UserGrantRole', { user: 'ann', role: 'none' }],
      ['', 'Auth.UserGrantRole', { user: 'ann', role: 'root' }],
      ['', 'Auth.UserGrantRole', { user: 'ann', role: 'root' }],
      ['', 'Auth.UserGrantRole', { user: 'ann', role: 'r2' }],
      ['', 'Auth.UserGrantRole', { user: 'ann', role: 'r' }],
      ['', 'Auth.UserGet', { name: 'ann' }],
      ['', 'Auth.UserRevokeRole', { name: 'ann', role: 'none' }],
      ['', 'Auth.UserRevokeRole', { name: 'none', role: 'r' }],
      ['', 'Auth.UserRevokeRole', { name: 'ann', role: 'root' }],
      ['', 'Auth.RoleDelete', { role: 'none' }],
      ['', 'Auth.RoleDelete', { role: 'r' }],
      ['', 'Auth.UserGet', { name: 'ann' }],
      ['', 'Auth.UserList'],
      ['', 'Auth.RoleList'],
    ])
  })

  test('permissions of a role are kept, ordered, replaced and taken away alike', async () => {
    const get: Step = ['', 'Auth.RoleGet', { role: 'r' }]
    const revoke = (from: string, end = ''): Step => [
      '',
      'Auth.RoleRevokePermission',
      { role: 'r', ...rangeOf(from, end) },
    ]
    const grants = [
      permission('r', 'READ', 'k', '\0'),
      permission('r', 'READ', 'b', 'a'),
      permission('r', 'WRITE', 'f'),
      permission('r', 'READ', 'f'),
      permission('r', 'READWRITE', 'c', 'd'),
      permission('r', 7, 'e'),
      permission('r', 'READ', '', '\0'),
      permission('r', 'READ', 'a', 'c'),
      permission('none', 'READ', 'a'),
    ]
    await same([
      ['', 'Auth.RoleAdd', { name: 'r' }],
      ...grants.map((grant): Step => ['', 'Auth.RoleGrantPermission', grant]),
      get,
      revoke('f'),
      revoke('f'),
      revoke('c'),
      revoke('c', 'd'),
      ['', 'Auth.RoleRevokePermission', { role: 'none', key: key('a') }],
      get,
    ])
  })

  test('permissions come into force only with a root who may do everything', async () => {
    await same([
      ['', 'Auth.AuthEnable'],
      ['', 'Auth.AuthDisable'],
      ['', 'Auth.Authenticate', { name: 'root', password: 'x' }],
      ['', 'Auth.UserAdd', { name: 'root', password: passwords['root'] }],
      ['', 'Auth.AuthEnable'],
      ['', 'Auth.UserGrantRole', { user: 'root', role: 'root' }],
      ['', 'Auth.AuthEnable'],
      ['', 'Auth.AuthEnable'],
      ['root', 'Auth.AuthEnable'],
      ['root', 'Auth.UserDelete', { name: 'root' }],
      ['root', 'Auth.RoleDelete', { role: 'root' }],
      ['root', 'Auth.UserRevokeRole', { name: 'root', role: 'root' }],
      ['', 'Auth.AuthDisable'],
    ])
  })

  test('names and passwords that are wrong are refused alike', async () => {
    await same([
      ...setUp,
      ['root', 'Auth.UserAdd', { name: 'eve', options: { no_password: true } }],
      ...[
        ['root', 'wrong'],
        ['nobody', 'x'],
        ['', ''],
        ['eve', ''],
        ['eve', 'x'],
        ['ann', 'a'],
        ['bob', ''],
      ].map(([name, password]): Step => ['', 'Auth.Authenticate', { name, password }]),
    ])
  })

  test('a stranger is refused alike', async () => {
    const steps: [string, object?][] = [
      ['KV.Range', { key: key('c') }],
      ['KV.Range', { key: key('') }],
      ['KV.Put', { key: key('c') }],
      ['KV.Put', { key: key('') }],
      ['KV.DeleteRange', { key: key('c') }],
      ['KV.Txn', {}],
      ['KV.Txn', { success: [{ request_put: { key: key('a') } }] }],
      ['KV.Txn', { success: [{ request_range: { key: key('a') } }] }],
      ['Lease.LeaseRevoke', { ID: 12_345 }],
      ['Lease.LeaseTimeToLive', { ID: 12_345, keys: false }],
      ['Cluster.MemberAdd', { peerURLs: ['http://127.0.0.1:1'] }],
      ['Cluster.MemberRemove', { ID: 5 }],
      ['Cluster.MemberUpdate', { ID: 5, peerURLs: ['http://127.0.0.1:1'] }],
      ['Cluster.MemberPromote', { ID: 5 }],
      ['Auth.AuthDisable'],
      ['Auth.UserAdd', { name: '', password: 'x' }],
      ['Auth.UserGet', { name: 'ann' }],
      ['Auth.UserGet', { name: 'none' }],
      ['Auth.UserList'],
      ['Auth.UserDelete', { name: 'ann' }],
      ['Auth.UserChangePassword', { name: 'ann', password: 'x' }],
      ['Auth.UserGrantRole', { user: 'ann', role: 'r' }],
      ['Auth.UserRevokeRole', { name: 'ann', role: 'r' }],
      ['Auth.RoleAdd', { name: 'x' }],
      ['Auth.RoleGet', { role: 'r' }],
      ['Auth.RoleList'],
      ['Auth.RoleDelete', { role: 'r' }],
      ['Auth.RoleGrantPermission', permission('r', 'READ', 'a')],
      ['Auth.RoleRevokePermission', { role: 'r', key: key('w') }],
    ]
    await same([
      ...setUp,
      ...steps.map(([method, request]): Step => ['', method, request]),
      ['?', 'KV.Range', { key: key('c') }],
      ['?', 'KV.Put', { key: key('c') }],
      ['?', 'Lease.LeaseGrant', { TTL: 10 }],
      ['?', 'Auth.UserList'],
    ])
  })

  test('a user reads and writes what its roles allow, and nothing else', async () => {
    const range = rangeOf
    const compare = { key: key('z'), target: 'VERSION', version: '0' }
    const steps: [string, object?][] = [
      ['KV.Range', range('c')],
      ['KV.Range', range('c', 'd')],
      ['KV.Range', range('c', 'f')],
      ['KV.Range', range('c', 'g')],
      ['KV.Range', range('c', '\0')],
      ['KV.Range', range('w')],
      ['KV.Put', { key: key('c1'), value: key('1') }],
      ['KV.Put', { key: key('c1'), prev_kv: true }],
      ['KV.Put', { key: key('d') }],
      ['KV.Put', { key: key('w') }],
      ['KV.Put', { key: key('w'), prev_kv: true }],
      ['KV.Put', { key: key('c2'), lease: 99 }],
      ['KV.DeleteRange', range('c', 'd')],
      ['KV.DeleteRange', range('c', 'e')],
      ['KV.DeleteRange', { ...range('w'), prev_kv: true }],
      ['KV.DeleteRange', range('w')],
      ['KV.Txn', { compare: [compare] }],
      ['KV.Txn', { compare: [{ ...compare, key: key('c') }] }],
      ['KV.Txn', { compare: [{ ...compare, key: key('c'), range_end: key('z') }] }],
      ['KV.Txn', { success: [{ request_put: { key: key('c') } }] }],
      ['KV.Txn', { failure: [{ request_put: { key: key('z') } }] }],
      ['KV.Txn', { failure: [{ request_range: range('z') }] }],
      ['KV.Txn', { success: [{ request_delete_range: range('c', 'd') }] }],
      ['KV.Txn', { success: [{ request_delete_range: { ...range('w'), prev_kv: true } }] }],
      ['Auth.UserGet', { name: 'ann' }],
      ['Auth.UserGet', { name: 'bob' }],
      ['Auth.UserGet', { name: 'none' }],
      ['Auth.RoleGet', { role: 'r' }],
      ['Auth.RoleGet', { role: 'r1' }],
      ['Auth.RoleGet', { role: 'root' }],
      ['Auth.UserList'],
      ['Auth.RoleList'],
      ['Auth.AuthDisable'],
      ['Auth.UserChangePassword', { name: 'ann', password: 'x' }],
      ['Cluster.MemberRemove', { ID: 5 }],
    ]
    await same([
      ...setUp,
      ...['ann', 'bob'].flatMap((user) =>
        steps.map(([method, request]): Step => [user, method, request]),
      ),
    ])
  })

  test('keys on a lease are guarded together', async () => {
    await same([
      ...setUp,
      ['root', 'Lease.LeaseGrant', { TTL: 1000, ID: 77 }],
      ['root', 'KV.Put', { key: key('secret'), lease: 77 }],
      ['', 'Lease.LeaseRevoke', { ID: 77 }],
      ['ann', 'Lease.LeaseRevoke', { ID: 77 }],
      ['ann', 'KV.Put', { key: key('c'), lease: 77 }],
      ['root', 'KV.DeleteRange', { key: key('secret') }],
      ['ann', 'KV.Put', { key: key('c'), lease: 77 }],
      ['bob', 'Lease.LeaseRevoke', { ID: 77 }],
      ['ann', 'Lease.LeaseRevoke', { ID: 77 }],
      ['ann', 'Lease.LeaseRevoke', { ID: 77 }],
    ])
  })

  test('a password that is changed and a user that is deleted end their tokens', async () => {
    await same([
      ...setUp,
      ['ann', 'KV.Range', { key: key('c') }],
      ['root', 'Auth.UserChangePassword', { name: 'ann', password: 'other' }],
      ['ann', 'KV.Range', { key: key('c') }],
      ['bob', 'Auth.UserGet', { name: 'bob' }],
      ['root', 'Auth.UserDelete', { name: 'bob' }],
      ['bob', 'Auth.UserGet', { name: 'bob' }],
      ['root', 'Auth.UserGet', { name: 'bob' }],
    ])
  })

  test('watches are refused with the same words, one by one', async () => {
    await same(setUp)
    const requests = [
      { key: key('c') },
      { key: key('c'), range_end: key('f') },
      { key: key('c'), range_end: key('g') },
      { key: key('c'), watch_id: 5 },
      { key: key('') },
      { key: key('z') },
    ]
    for (const as of ['', '?', 'ann', 'bob', 'root']) {
      const answers = await Promise.all(clients.map((client) => client.watch(as, requests)))
      expect(answers[1], as).toEqual(answers[0])
    }
  })

  test('what etcd 3.4 leaves open to strangers and users is closed, as in later versions', async () => {
    await same(setUp)
    const denied = '7 etcdserver: permission denied'
    const nameless = '3 etcdserver: user name is empty'
    const nested = { success: [{ request_txn: { success: [{ request_put: { key: key('z') } }] } }] }
    const admin: [string, object?][] = [
      ['KV.Compact', { revision: 1 }],
      ['Maintenance.Defragment'],
      ['Maintenance.Hash'],
      ['Maintenance.HashKV'],
      ['Maintenance.Alarm', { action: 'DEACTIVATE', memberID: 1, alarm: 'NOSPACE' }],
      ['Maintenance.MoveLeader', { targetID: 1 }],
    ]
    await stricter(
      admin.map(([method, request]): Step => ['', method, request]),
      admin.map(() => nameless),
    )
    await stricter(
      admin.map(([method, request]): Step => ['ann', method, request]),
      admin.map(() => denied),
    )
    await stricter([['ann', 'KV.Txn', nested]], [denied])
    // Whoever may read one key could watch all above it.
    const [above] = (await clients[1]?.watch('ann', [rangeOf('c', '\0')])) ?? []
    expect(above).toMatchObject({ canceled: true, watch_id: '-1' })
    await same([
      ['root', 'Lease.LeaseGrant', { TTL: 1000, ID: 78 }],
      ['root', 'KV.Put', { key: key('secret'), lease: 78 }],
    ])
    await stricter(
      [
        ['', 'Lease.LeaseGrant', { TTL: 10 }],
        ['', 'Lease.LeaseTimeToLive', { ID: 78, keys: true }],
        ['ann', 'Lease.LeaseTimeToLive', { ID: 78, keys: true }],
        ['ann', 'Lease.LeaseLeases'],
        ['', 'Maintenance.Alarm'],
        ['?', 'Maintenance.Alarm'],
      ],
      [nameless, nameless, denied, denied, nameless, '16 etcdserver: invalid auth token'],
    )
  })

  test('300 random requests of four users while their roles change are answered alike', async () => {
    let state = seed
    const below = (count: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * count)
    }
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T
    const letter = (): string => pick(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    const range = (): object => {
      const from = letter()
      const ends = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((end) => end > from)
      return rangeOf(from, pick(['', '', '\0', ...ends]))
    }
    const put = (): object => ({ key: key(letter()), prev_kv: below(3) === 0 })
    const role = (): string => pick(['r', 'r1', 'r2'])
    const user = (): string => pick(['ann', 'bob', 'eve'])
    const step = (): Step => {
      const as = pick(['ann', 'bob', 'eve', 'root', 'ann', 'bob'])
      const perm = { permType: pick(['READ', 'WRITE', 'READWRITE']), ...range() }
      return pick<() => Step>([
        () => ['root', 'Auth.RoleGrantPermission', { name: role(), perm }],
        () => ['root', 'Auth.RoleRevokePermission', { role: role(), ...range() }],
        () => ['root', 'Auth.UserGrantRole', { user: user(), role: role() }],
        () => ['root', 'Auth.UserRevokeRole', { name: user(), role: role() }],
        () => [as, 'KV.Range', range()],
        () => [as, 'KV.Range', range()],
        () => [as, 'KV.Put', put()],
        () => [as, 'KV.DeleteRange', { ...range(), prev_kv: below(3) === 0 }],
        () => [
          as,
          'KV.Txn',
          {
            compare: [{ ...range(), target: 'VERSION', result: 'GREATER', version: '0' }],
            success: [{ request_put: put() }, { request_range: range() }],
            failure: [{ request_delete_range: range() }],
          },
        ],
        () => [as, 'Auth.UserGet', { name: user() }],
        () => [as, 'Auth.RoleGet', { role: role() }],
      ])()
    }
    await same([
      ...setUp,
      ['root', 'Auth.UserAdd', { name: 'eve', password: passwords['eve'] }],
      ['root', 'Auth.RoleAdd', { name: 'r1' }],
      ['root', 'Auth.RoleAdd', { name: 'r2' }],
    ])
    const answers = await same(Array.from({ length: 300 }, step))
    const refused = answers.filter((answer) => typeof answer === 'string')
    expect(refused.length).toBeGreaterThan(30)
    expect(answers.length - refused.length).toBeGreaterThan(30)
  })
})
