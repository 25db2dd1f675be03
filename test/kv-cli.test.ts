// `balsa member` and `balsa kv` as users run them. etcdctl judges what `balsa kv` prints: the same commands, the same server, the same lines.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { startEtcd } from './etcd-process.ts'
import type { EtcdProcess } from './etcd-process.ts'
import { balsaMain, missing, tools } from './tools.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-cli-'))
})
afterAll(async () => {
  await stopBalsaProcesses()
  rmSync(folder, { recursive: true, force: true })
})

/** What is said beside the lines of the log. */
const withoutLog = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !line.startsWith('{'))
    .join('\n')

/** Flags of a member alone, on ports of its own. */
async function memberFlags(name: string): Promise<Record<string, string>> {
  const [client, peer] = await freePorts(2)
  return {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': `http://127.0.0.1:${client}`,
    'advertise-client-urls': `http://127.0.0.1:${client}`,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-cluster': `${name}=http://127.0.0.1:${peer}`,
  }
}
const argvOf = (flags: Record<string, string>): string[] => [
  'member',
  ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
]
const linesOf = (text: string): { level: string; msg: string }[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string })

describe('a member that runs', () => {
  test('says in JSON that it is ready, stops at SIGTERM with exit code 0 and keeps its data', async () => {
    const flags = await memberFlags('stays')
    const endpoints = ['--endpoints', flags['listen-client-urls']!]
    const first = new BalsaProcess(argvOf(flags))
    await first.ready('ready to serve client requests')
    expect((await runBalsa(['kv', 'put', 'a', 'kept', ...endpoints])).stdout).toBe('OK\n')
    expect(await first.stop('SIGTERM')).toBe(0)
    expect(linesOf(first.stderr).map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
      'info: configuring peer listeners',
      'info: configuring client listeners',
      'info: starting an etcd server',
      'info: now serving peer/client/metrics',
      'info: serving peer traffic',
      'info: published local member to cluster through raft',
      'info: ready to serve client requests',
      'info: serving client traffic insecurely; this is strongly discouraged!',
      'info: received signal; shutting down',
      'info: closing etcd server',
      'info: closed etcd server',
    ])
    const second = new BalsaProcess(argvOf(flags))
    await second.ready('ready to serve client requests')
    expect((await runBalsa(['kv', 'get', 'a', ...endpoints])).stdout).toBe('a\nkept\n')
    expect(await second.stop('SIGINT')).toBe(0)
  })

  test('takes flags with one dash, with = and from ETCD_ variables, and warns of those without effect', async () => {
    const { name, 'data-dir': dataDir, ...flags } = await memberFlags('dashes')
    const argv = Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`)
    const env = { ETCD_NAME: name!, ETCD_DATA_DIR: dataDir!, ETCD_MAX_WALS: '4', ETCD_NOTHING: '1' }
    const member = new BalsaProcess(['member', ...argv, '-enable-v2'], {
      env,
    })
    await member.ready('ready to serve client requests')
    await member.stop()
    const warnings = linesOf(member.stderr).filter(({ level }) => level === 'warn')
    expect(warnings.map(({ msg }) => msg)).toEqual([
      'unrecognized environment variable ETCD_NOTHING=1',
      '--enable-v2 is deprecated and has no effect',
      'ETCD_MAX_WALS has no effect',
    ])
    expect(readdirSync(dataDir!)).toContain('member')
  })
})

describe('a member that cannot start says why in one line', () => {
  const failure = async (argv: string[], exitCode = 1): Promise<string> => {
    const { code, stderr } = await runBalsa(argv, { timeoutMs: 20_000 })
    expect(code).toBe(exitCode)
    return withoutLog(stderr)
  }

  test.each([
    [['serve'], `balsa: error verifying flags, 'serve' is not a valid flag. See 'etcd --help'.\n`],
    [
      ['--heartbeat-interval', 'soon'],
      `balsa: --heartbeat-interval is 'soon'; it must be a positive whole number\n`,
    ],
    [
      ['--listen-client-urls', 'localhost:2379'],
      `balsa: --listen-client-urls is 'localhost:2379'; it must be URLs like http://127.0.0.1:2379\n`,
    ],
    [
      ['--initial-cluster-state', 'old'],
      `balsa: --initial-cluster-state is 'old'; it must be one of new, existing\n`,
    ],
    [
      ['--cert-file=server.pem', '--listen-client-urls=https://127.0.0.1:0'],
      'balsa: KeyFile and CertFile must both be present[key: , cert: server.pem]\n',
    ],
    [
      ['--election-timeout', '200'],
      'balsa: --election-timeout is 200 ms; it must be at least 5 times --heartbeat-interval (100 ms)\n',
    ],
  ])('%s', async (argv, message) => {
    expect(await failure(['member', '--data-dir', join(folder, 'unused'), ...argv])).toBe(message)
  })

  test.each([
    ['--nonsense', 'balsa: flag provided but not defined: -nonsense\n'],
    ['--name', 'balsa: flag needs an argument: -name\n'],
  ])('%s, with exit code 2', async (flag, message) => {
    expect(await failure(['member', flag], 2)).toBe(message)
  })

  test.each(['client', 'peer'])('a busy %s port', async (kind) => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const flags = await memberFlags(`busy-${kind}`)
    const url = `http://127.0.0.1:${port}`
    flags[`listen-${kind}-urls`] = url
    if (kind === 'peer') {
      flags['initial-advertise-peer-urls'] = url
      flags['initial-cluster'] = `busy-peer=${url}`
    }
    expect(await failure(argvOf(flags))).toBe(
      `balsa: --listen-${kind}-urls: cannot listen on ${url}: the port is in use; stop what listens there or choose another port\n`,
    )
    server.close()
  })

  test('a data folder that cannot be made', async () => {
    const flags = await memberFlags('blocked')
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    flags['data-dir'] = join(file, 'data')
    expect(await failure(argvOf(flags))).toMatch(
      /^balsa: --data-dir '[^']+' cannot be used \(ENOTDIR[^\n]*\); choose a folder that this user can write\n$/,
    )
  })

  test('a data folder where no folder can be', async () => {
    const flags = { ...(await memberFlags('nowhere')), 'data-dir': '/proc/balsa/data' }
    expect(await failure(argvOf(flags))).toMatch(
      /^balsa: --data-dir '[^']+' cannot be used \(ENOENT[^\n]*\); choose a folder that this user can write\n$/,
    )
  })

  test('one of three members that lost its data ends, and never says that it is ready', async () => {
    const all = await Promise.all(['w1', 'w2', 'w3'].map(memberFlags))
    const initialCluster = all.map((flags) => flags['initial-cluster']!).join(',')
    const members = all.map((flags) => {
      const argv = argvOf({ ...flags, 'initial-cluster': initialCluster })
      return { flags, argv, process: new BalsaProcess(argv) }
    })
    try {
      for (const { process } of members) await process.ready('ready to serve client requests')
      const url = all[0]!['listen-client-urls']!
      await runBalsa(['kv', 'put', 'a', '1', '--endpoints', url])
      const post = { method: 'POST', body: '{}' }
      const isFollower = members.map(async ({ flags }) => {
        const reply = await fetch(`${flags['listen-client-urls']}/v3/maintenance/status`, post)
        const status = (await reply.json()) as { header: { member_id: string }; leader: string }
        return status.header.member_id !== status.leader
      })
      const { flags, argv, process } = members[(await Promise.all(isFollower)).indexOf(true)]!
      await process.stop('SIGKILL')
      rmSync(flags['data-dir']!, { recursive: true })
      expect(await failure(argv)).toBe(
        'balsa: this member has lost entries that it had acknowledged: its data was deleted, or is an older copy\n',
      )
    } finally {
      for (const { process } of members) await process.stop('SIGKILL')
    }
  })

  test('the data of another cluster, data in use, and a WAL that is corrupt in the middle', async () => {
    const flags = await memberFlags('owner')
    const member = new BalsaProcess(argvOf(flags))
    await member.ready('ready to serve client requests')
    const other: Record<string, string> = {
      ...(await memberFlags('other')),
      'data-dir': flags['data-dir']!,
    }
    expect(await failure(argvOf(other))).toMatch(
      /^balsa: --data-dir '[^']+' holds member [0-9a-f]{16} \('owner'\) of cluster [0-9a-f]{16}, but the flags make this member [0-9a-f]{16} of cluster [0-9a-f]{16}; use the --name, --initial-cluster, --initial-advertise-peer-urls and --initial-cluster-token it was made with, or another --data-dir\n$/,
    )
    const again = {
      ...flags,
      'listen-client-urls': other['listen-client-urls']!,
      'listen-peer-urls': other['listen-peer-urls']!,
    }
    expect(await failure(argvOf(again))).toMatch(
      /^balsa: --data-dir '[^']+' is in use by another process; stop it or choose another folder\n$/,
    )
    const endpoints = ['--endpoints', flags['listen-client-urls']!]
    for (let i = 0; i < 5; i++) await runBalsa(['kv', 'put', 'a', 'x'.repeat(4000), ...endpoints])
    await member.stop('SIGKILL')
    corruptFirstRecord(join(flags['data-dir']!, 'member', 'wal'))
    expect(await failure(argvOf(flags))).toMatch(
      /^balsa: \S+\.wal is corrupt at byte \d+ \([^\n]+\); this member cannot go on with it; a majority of other members goes on without it, a member alone needs a copy of its --data-dir\n$/,
    )
  })
})

/** Flips bits in the middle of what was written. */
function corruptFirstRecord(wal: string): void {
  const path = join(
    wal,
    readdirSync(wal).find((name) => name.endsWith('.wal'))!,
  )
  const bytes = readFileSync(path)
  const at = bytes.indexOf('xxxxxxxx')
  bytes[at + 100]! ^= 0xff
  writeFileSync(path, bytes)
}

describe.skipIf(missing('etcd', 'etcdctl'))('balsa kv prints what etcdctl prints', () => {
  let etcd: EtcdProcess
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd[Symbol.asyncDispose]())

  const both = async (
    argv: readonly string[],
    input = '',
  ): Promise<{ ours: string; theirs: string }> => {
    const env = { ETCDCTL_API: '3' }
    const [ours, theirs] = await Promise.all([
      runBalsa(['kv', ...argv, '--endpoints', etcd.url], { input }),
      run(tools.etcdctl!, [...argv, `--endpoints=${etcd.url}`], { input, env }),
    ])
    expect([ours.code, ours.stderr]).toEqual([theirs.code, theirs.stderr])
    return { ours: ours.stdout, theirs: theirs.stdout }
  }

  test.each([
    [['put', 'a', '1']],
    [['put', 'a', '2']],
    [['put', 'b', 'with spaces and ümlauts']],
    [['put', 'bb', '']],
    [['get', 'a']],
    [['get', 'missing']],
    [['get', '', '--prefix']],
    [['get', 'b', '--prefix', '--keys-only', '--hex']],
    [['get', 'a', 'bb']],
    [['get', 'b', '--from-key', '--limit', '1']],
    [['get', '', '--prefix', '--sort-by', 'CREATE', '--order', 'DESCEND']],
    [['get', '', '--prefix', '--sort-by=MODIFY', '--order=ASCEND', '--print-value-only']],
    [['get', 'a', '--rev', '2']],
    [['get', 'a', '--consistency', 's']],
    [['member', 'list']],
    [['lease', 'list']],
    [['del', 'missing']],
  ])('%j', async (argv) => {
    const { ours, theirs } = await both(argv)
    expect(ours).toBe(theirs)
  })

  test('a value from standard input, and what was there before', async () => {
    await both(['put', 'piped'], 'from a pipe')
    const { ours, theirs } = await both(['get', 'piped'])
    expect(ours).toBe(theirs)
    expect(
      (await runBalsa(['kv', 'put', 'piped', 'x', '--prev-kv', '--endpoints', etcd.url])).stdout,
    ).toBe('OK\npiped\nfrom a pipe\n')
  })

  test('the history of a key, as watch prints it, and in JSON', async () => {
    const watch = async (program: string, argv: string[]): Promise<string> => {
      const { stdout } = await run('timeout', ['-s', 'INT', '3', program, ...argv], {
        env: { ETCDCTL_API: '3' },
      })
      return stdout
    }
    await both(['del', 'a'])
    const argv = ['watch', 'a', '--rev', '2', '--prev-kv']
    const [ours, theirs] = await Promise.all([
      watch(process.execPath, [balsaMain, 'kv', ...argv, '--endpoints', etcd.url]),
      watch(tools.etcdctl!, [...argv, `--endpoints=${etcd.url}`]),
    ])
    expect(ours).toBe(theirs)
    expect(ours).toContain('PUT\na\n1\n')
    expect(ours).toContain('DELETE\n')
  })

  test('leases from grant to revoke', async () => {
    const kv = (...argv: string[]): Promise<string> =>
      runBalsa(['kv', ...argv, '--endpoints', etcd.url]).then(({ stdout }) => stdout)
    const granted = await kv('lease', 'grant', '60')
    const id = /^lease ([0-9a-f]{16}) granted with TTL\(60s\)\n$/.exec(granted)?.[1] ?? ''
    await kv('put', 'leased', 'x', '--lease', id)
    expect(await kv('lease', 'timetolive', id, '--keys')).toMatch(
      /^lease [0-9a-f]{16} granted with TTL\(60s\), remaining\(\d+s\), attached keys\(\[leased\]\)\n$/,
    )
    expect(await kv('lease', 'keep-alive', id, '--once')).toBe(
      `lease ${id} keepalived with TTL(60)\n`,
    )
    expect(await kv('lease', 'revoke', id)).toBe(`lease ${id} revoked\n`)
    expect(await kv('get', 'leased')).toBe('')
  })

  test('endpoints: health, status and hashkv', async () => {
    const { stdout } = await runBalsa(['kv', 'endpoint', 'health', '--endpoints', etcd.url])
    expect(stdout).toMatch(/ is healthy: successfully committed proposal: took = [\d.]+ms\n$/)
    const status = await both(['endpoint', 'status'])
    const fields = (text: string): string[] => text.trim().split(', ').slice(0, 7)
    expect(fields(status.ours)).toEqual(fields(status.theirs))
    const hash = await both(['endpoint', 'hashkv'])
    expect(hash.ours).toBe(hash.theirs)
  })

  test('compaction, and the error of a revision that is gone', async () => {
    expect((await runBalsa(['kv', 'compaction', '4', '--endpoints', etcd.url])).stdout).toBe(
      'compacted revision 4\n',
    )
    const { code, stderr } = await runBalsa([
      'kv',
      'get',
      'a',
      '--rev',
      '2',
      '--endpoints',
      etcd.url,
    ])
    expect([code, stderr]).toEqual([
      1,
      'balsa: etcdserver: mvcc: required revision has been compacted\n',
    ])
  })
})

describe('balsa kv says in one line what is wrong', () => {
  test.each([
    [['get'], `balsa: missing required argument 'key'\n`],
    [
      ['get', 'a', '--order', 'UP'],
      `balsa: option '--order <order>' argument 'UP' is invalid. Want one of ASCEND, DESCEND.\n`,
    ],
    [['get', 'a', '--nonsense'], `balsa: unknown option '--nonsense'\n`],
    [
      ['get', 'a', '--prefix', '--from-key'],
      'balsa: --prefix and --from-key cannot be used together; leave one out\n',
    ],
    [
      ['lease', 'grant', 'long'],
      `balsa: command-argument value 'long' is invalid for argument 'ttl'. Want a whole number, 0 or greater.\n`,
    ],
    [
      ['get', 'a', '--endpoints', 'ftp://x'],
      `balsa: endpoint 'ftp://x' is not host:port, http://host:port or https://host:port\n`,
    ],
  ])('%j', async (argv, message) => {
    const { code, stderr } = await runBalsa(['kv', ...argv])
    expect([code, stderr]).toEqual([1, message])
  })

  test('no server', async () => {
    const [port] = await freePorts(1)
    const argv = ['kv', 'get', 'a', '--endpoints', `127.0.0.1:${port}`, '--dial-timeout', '300ms']
    const { code, stderr } = await runBalsa(argv)
    expect([code, stderr]).toEqual([1, `balsa: no server answered at http://127.0.0.1:${port}\n`])
  })
})
