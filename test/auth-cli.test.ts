// `balsa kv auth`, `user` and `role` beside etcdctl: the same commands to two servers, the same lines.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { run, runBalsa, type Finished } from './balsa-process.ts'
import { missing, tools } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}

const timeout = 240_000

/** Said by the client library, in two languages. */
const failure = /^(?:Error|balsa): (.*)$/m

describe.skipIf(missing('etcdctl'))('balsa kv auth, user and role', () => {
  let servers: Server[]
  beforeAll(async () => {
    servers = await Promise.all([openBalsaMember(), openBalsaMember()])
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  function mask({ code, stdout, stderr }: Finished): unknown {
    const said = stdout
      .replaceAll(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":N')
      .replaceAll(/^("(?:ClusterID|MemberID|RaftTerm)" :) \d+$/gm, '$1 N')
    return { isGood: code === 0, said, failure: failure.exec(stderr)?.[1] }
  }

  async function same(argv: readonly string[], input = ''): Promise<void> {
    const [first, second] = servers.map(({ url }) => ['--endpoints', url])
    const [theirs, ours] = await Promise.all([
      run(tools.etcdctl ?? 'etcdctl', [...(first ?? []), ...argv], {
        input,
        env: { ETCDCTL_API: '3' },
      }),
      runBalsa(['kv', ...(second ?? []), ...argv], { input }),
    ])
    expect(mask(ours), argv.join(' ')).toEqual(mask(theirs))
  }

  async function sameAll(commands: readonly (readonly [string[], string?])[]): Promise<void> {
    for (const [argv, input] of commands) await same(argv, input)
  }

  test('users are made, changed and shown alike', { timeout }, async () => {
    await sameAll([
      [['user', 'add', 'root:r']],
      [['user', 'add', 'root:r']],
      [['user', 'add', 'ann', '--no-password']],
      [['user', 'add', 'bob', '--interactive=false'], 'secret\n'],
      [['user', 'add', 'eve'], 'e\ne\n'],
      [['user', 'add', 'tom', '--new-user-password=x']],
      [['user', 'grant-role', 'root', 'root']],
      [['user', 'grant-role', 'ann', 'none']],
      [['user', 'get', 'bob']],
      [['user', 'get', 'none']],
      [['user', 'list']],
      [['user', 'list', '-w', 'json']],
      [['user', 'passwd', 'bob', '--interactive=false'], 'other\n'],
      [['user', 'passwd', 'eve'], 'n\nn\n'],
      [['user', 'passwd', 'eve'], 'n\nm\n'],
      [['user', 'delete', 'tom']],
      [['user', 'delete', 'tom']],
    ])
  })

  test('roles are made, changed, given and shown alike', { timeout }, async () => {
    await sameAll([
      [['role', 'add', 'r1']],
      [['role', 'add', 'r2']],
      [['role', 'add', 'r1']],
      [['role', 'grant-permission', 'r1', 'read', 'a']],
      [['role', 'grant-permission', 'r1', 'write', 'a', 'b']],
      [['role', 'grant-permission', 'r1', 'readwrite', 'p', '--prefix']],
      [['role', 'grant-permission', 'r1', 'readwrite', 'q', '--from-key']],
      [['role', 'grant-permission', 'r1', 'read', '', '--prefix']],
      [['role', 'grant-permission', 'r2', 'readwrite', 'a']],
      [['role', 'get', 'r1']],
      [['role', 'get', 'none']],
      [['role', 'get', 'r1', '-w', 'json']],
      [['role', 'get', 'r1', '-w', 'fields']],
      [['role', 'list']],
      [['role', 'list', '-w', 'fields']],
      [['role', 'list', '-w', 'json']],
      [['role', 'revoke-permission', 'r1', 'a']],
      [['role', 'revoke-permission', 'r1', 'a', 'b']],
      [['role', 'revoke-permission', 'r1', 'p', '--prefix']],
      [['role', 'revoke-permission', 'r1', 'q', '--from-key']],
      [['role', 'revoke-permission', 'r1', 'q']],
      [['user', 'grant-role', 'ann', 'r1']],
      [['user', 'grant-role', 'ann', 'r2']],
      [['user', 'get', 'ann']],
      [['user', 'get', 'ann', '--detail']],
      [['user', 'get', 'ann', '-w', 'json']],
      [['user', 'revoke-role', 'ann', 'r2']],
      [['user', 'revoke-role', 'ann', 'r2']],
      [['role', 'delete', 'r2']],
    ])
  })

  test('with permissions in force --user says who asks', { timeout }, async () => {
    const root = ['--user', 'root:r']
    await sameAll([
      [['auth', 'enable']],
      [['user', 'list']],
      [['user', 'list', ...root]],
      [['user', 'list', '--user', 'root', '--password', 'r']],
      [['user', 'list', '--user', 'root'], 'r\n'],
      [['user', 'list', '--user', 'root:wrong']],
      [['user', 'list', '--user', 'bob:other']],
      [['put', 'a', '1', ...root]],
      [['get', 'a', '--user', 'eve:n']],
      [['user', 'add', 'tim:x', '-w', 'json', ...root]],
      [['role', 'add', 'r3', '-w', 'fields', ...root]],
      [['auth', 'disable', ...root]],
      [['auth', 'disable']],
    ])
  })
})
