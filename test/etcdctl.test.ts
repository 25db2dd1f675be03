// Debian's etcdctl against real etcd and against Balsa: the same commands must print the same, but for ids and times.
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { missing, tools } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}
interface Run {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}
interface RunOptions {
  readonly input?: string
  /** Kills the command once it has printed so many lines: for commands that run on. */
  readonly untilLines?: number
}

const commandTimeoutMs = 40_000

function etcdctl(server: Server, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = spawn(tools.etcdctl ?? 'etcdctl', args, {
    env: { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: server.url },
  })
  let stdout = ''
  let stderr = ''
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, commandTimeoutMs)
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    const lines = stdout.split('\n').length - 1
    if (options.untilLines !== undefined && lines >= options.untilLines) child.kill('SIGKILL')
  })
  // A command that reads no input may be gone before it is written.
  child.stdin.on('error', () => child.stdin.destroy())
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      const run = { exitCode, stdout, stderr }
      if (isLate) reject(new Error(`etcdctl ${args.join(' ')} hangs after ${JSON.stringify(run)}`))
      else resolve(run)
    })
  })
}

/** What may differ between two servers that behave the same. */
function mask(run: Run, server: Server): Run {
  const host = server.url.slice('http://'.length)
  const clean = (text: string): string =>
    text
      .replaceAll(server.url, 'URL')
      .replaceAll(host, 'HOST')
      .replaceAll(/"(cluster_id|member_id|raft_term|lease|ID)":\d+/g, '"$1":N')
      .replaceAll(/^("(?:ClusterID|MemberID|RaftTerm|Lease)" :) \d+$/gm, '$1 N')
      .replaceAll(/\b[0-9a-f]{14,16}\b/g, 'ID')
      .replaceAll(/remaining\(\d+s\)/g, 'remaining(TIME)')
      // etcd tells the keys of a lease in no order.
      .replaceAll(/keys\(\[(.*)\]\)/g, (_, keys: string) => keys.split(' ').sort().join(' '))
      .replaceAll(/took = [\d.]+[µnm]?s/g, 'took = TIME')
      // Warnings of the client library; what the user is told comes after them.
      .replaceAll(/^\{"level":.*\n/gm, '')
  return { exitCode: run.exitCode, stdout: clean(run.stdout), stderr: clean(run.stderr) }
}

describe.skipIf(missing('etcd', 'etcdctl'))('etcdctl 3.4', () => {
  let etcd: Server
  let balsa: Server
  beforeAll(async () => {
    ;[etcd, balsa] = await Promise.all([startEtcd(), openBalsaMember()])
  })
  afterAll(async () => {
    await etcd[Symbol.asyncDispose]()
    await balsa[Symbol.asyncDispose]()
  })

  /** Runs on both and returns Balsa's run, after comparing. */
  async function same(args: readonly string[], options?: RunOptions): Promise<Run> {
    const [expected, run] = await Promise.all([
      etcdctl(etcd, args, options),
      etcdctl(balsa, args, options),
    ])
    expect(mask(run, balsa), `etcdctl ${args.join(' ')}`).toEqual(mask(expected, etcd))
    return run
  }

  test('put and get with every kind of range, order and output', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await same(['put', `key/${name}`, `value ${name}`])
    await same(['put', 'key/b', 'second', '--prev-kv'])
    await same(['put', 'other', '--', '-dashes'])
    await same(['get', 'key/a'])
    await same(['get', 'key/b', '-w', 'json'])
    await same(['get', 'key/b', '-w', 'fields'])
    await same(['get', 'missing'])
    await same(['get', '--prefix', 'key/'])
    await same(['get', '--prefix', ''])
    await same(['get', '--from-key', 'key/c'])
    await same(['get', 'key/b', 'key/d'])
    await same(['get', '--prefix', 'key/', '--limit', '2', '-w', 'json'])
    await same(['get', '--prefix', 'key/', '--order', 'DESCEND', '--sort-by', 'MODIFY'])
    await same(['get', '--prefix', 'key/', '--order', 'ASCEND', '--sort-by', 'VALUE'])
    await same(['get', '--prefix', 'key/', '--keys-only'])
    await same(['get', '--prefix', 'key/', '--count-only', '-w', 'fields'])
    await same(['get', 'key/b', '--print-value-only'])
    await same(['get', 'key/b', '--rev', '3'])
    await same(['get', 'key/b', '--consistency', 's'])
    await same(['get', 'key/b', '--hex'])
  })

  test('what is refused is refused with the same words', async () => {
    expect((await same(['get', 'key/b', '--rev', '1000'])).exitCode).not.toBe(0)
    await same(['put', '', 'x'])
    await same(['put', 'key/zz', '--ignore-value'])
    await same(['put', 'key/zz', 'v', '--lease', '1234'])
    await same(['lease', 'revoke', '1234'])
    await same(['lease', 'timetolive', '1234'])
    await same(['lease', 'keep-alive', '1234'])
    await same(['compaction', '1000'])
    await same(['put', 'big', 'x'.repeat(100_000)])
  })

  test('del of a key, a range and a prefix', async () => {
    for (const name of ['1', '2', '3', '4', '5']) await same(['put', `del/${name}`, name])
    await same(['del', 'del/1'])
    await same(['del', 'del/1'])
    await same(['del', 'del/2', 'del/4', '--prev-kv'])
    await same(['del', '--prefix', 'del/', '-w', 'json'])
    await same(['get', '--prefix', 'del/'])
  })

  test('txn takes its branch by every kind of compare', async () => {
    await same(['put', 'txn', 'one'])
    const txn = (compare: string, success: string, failure = ''): Promise<Run> =>
      same(['txn'], { input: `${compare}\n\n${success}\n\n${failure}\n\n` })
    expect(
      (await txn('value("txn") = "one"', 'put txn two\nget txn', 'get none')).stdout,
    ).toContain('two')
    await txn('value("txn") = "one"', 'put txn three', 'get txn')
    await txn('version("txn") = "2"', 'del txn', 'put txn wrong')
    await txn('create("txn") = "0"', 'put txn new\nput txn2 new', '')
    await txn('mod("txn") > "1"\nversion("nothing") = "0"', 'get --prefix txn', '')
    await same(['txn', '-w', 'json'], { input: 'ver("txn") < "9"\n\nget txn\ndel txn2\n\n\n\n' })
    await txn('value("txn") = "new"', 'put txn x\nput txn y', '')
  })

  test('watch tells history in order from a revision, by prefix and with previous values', async () => {
    const first = await same(['put', 'w/1', 'first', '-w', 'json'])
    const { revision } = (JSON.parse(first.stdout) as { header: { revision: number } }).header
    await same(['put', 'w/2', 'second'])
    await same(['put', 'w/1', 'third'])
    await same(['del', 'w/2'])
    const rev = ['--rev', String(revision)]
    await same(['watch', ...rev, '--prefix', 'w/'], { untilLines: 12 })
    await same(['watch', ...rev, 'w/1'], { untilLines: 6 })
    await same(['watch', ...rev, '--prefix', 'w/', '--prev-kv'], { untilLines: 16 })
    await same(['watch', ...rev, '--prefix', 'w/', '-w', 'json'], { untilLines: 1 })
  })

  test('members, status, health and alarms', async () => {
    await same(['alarm', 'list'])
    await same(['defrag'])
    await same(['endpoint', 'health'])
    for (const server of [etcd, balsa]) {
      const list = await etcdctl(server, ['member', 'list', '-w', 'json'])
      const { header, members } = JSON.parse(list.stdout) as {
        header: { member_id: number }
        members: { ID: number; name: string; peerURLs: string[]; clientURLs: string[] }[]
      }
      expect(members.map(({ ID }) => ID)).toEqual([header.member_id])
      const status = await etcdctl(server, ['endpoint', 'status', '-w', 'json'])
      const [endpoint] = JSON.parse(status.stdout) as {
        Status: { leader: number; raftTerm: number; raftIndex: number; version: string }
      }[]
      expect(endpoint?.Status.leader).toBe(header.member_id)
      expect(endpoint?.Status.version).toMatch(/^3\.\d+\.\d+$/)
      expect(endpoint?.Status.raftIndex).toBeGreaterThan(0)
    }
  })

  test('after the same writes both have the same HashKV, before and after a compaction', async () => {
    const before = await same(['endpoint', 'hashkv', '-w', 'json'])
    expect(before.stdout).toMatch(/"hash":\d+/)
    const last = await same(['put', 'compact', 'me', '-w', 'json'])
    const { revision } = (JSON.parse(last.stdout) as { header: { revision: number } }).header
    await same(['put', 'compact', 'me again'])
    await same(['compaction', String(revision), '--physical'])
    await same(['get', 'compact', '--rev', String(revision)])
    expect((await same(['get', 'compact', '--rev', '2'])).stderr).toContain('compacted')
    await same(['compaction', '2'])
    await same(['watch', '--rev', '2', 'compact'])
    await same(['endpoint', 'hashkv', '-w', 'json'])
  })

  test('leases hold keys, can be kept alive, listed, asked and revoked', async () => {
    const expectedGrant = await etcdctl(etcd, ['lease', 'grant', '120'])
    const grant = await etcdctl(balsa, ['lease', 'grant', '120'])
    expect(mask(grant, balsa)).toEqual(mask(expectedGrant, etcd))
    const [expectedId, id] = [expectedGrant, grant].map(
      ({ stdout }) => /lease ([0-9a-f]+) granted/.exec(stdout)?.[1] ?? '',
    )
    const both = async (
      make: (id: string) => readonly string[],
      options?: RunOptions,
    ): Promise<string> => {
      const expected = await etcdctl(etcd, make(expectedId ?? ''), options)
      const run = await etcdctl(balsa, make(id ?? ''), options)
      expect(mask(run, balsa), make('ID').join(' ')).toEqual(mask(expected, etcd))
      return run.stdout
    }
    await both((id) => ['put', 'leased/1', 'x', '--lease', id])
    await both((id) => ['put', 'leased/2', 'y', '--lease', id])
    await both(() => ['get', 'leased/1', '-w', 'json'])
    expect(await both((id) => ['lease', 'keep-alive', '--once', id])).toContain(
      'keepalived with TTL(120)',
    )
    await both((id) => ['lease', 'keep-alive', id], { untilLines: 1 })
    expect(await both((id) => ['lease', 'timetolive', id, '--keys'])).toContain('leased/2')
    await both(() => ['lease', 'list'])
    await both((id) => ['lease', 'revoke', id])
    expect(await both(() => ['get', '--prefix', 'leased/'])).toBe('')
    await both((id) => ['lease', 'timetolive', id])
    await both(() => ['lease', 'list'])
  })

  test('a lease that is not kept alive takes its keys with it', async () => {
    const grant = await etcdctl(balsa, ['lease', 'grant', '2'])
    const id = /lease ([0-9a-f]+) granted/.exec(grant.stdout)?.[1] ?? ''
    const watching = etcdctl(balsa, ['watch', 'short', '--rev', '1'], { untilLines: 2 })
    expect((await etcdctl(balsa, ['put', 'short', 'lived', '--lease', id])).stdout).toBe('OK\n')
    await expect
      .poll(() => etcdctl(balsa, ['get', 'short']), { timeout: 40_000 })
      .toMatchObject({ stdout: '' })
    await watching
  })

  test('a watch that began before sees what is put later', async () => {
    const [expected, run] = await Promise.all(
      [etcd, balsa].map(async (server) => {
        const watching = etcdctl(server, ['watch', 'live'], { untilLines: 3 })
        const over = new AbortController()
        const end = (): void => over.abort()
        watching.then(end, end)
        while (!over.signal.aborted) await etcdctl(server, ['put', 'live', 'now'])
        return watching
      }),
    )
    expect(run?.stdout).toBe('PUT\nlive\nnow\n')
    expect(run?.stdout).toBe(expected?.stdout)
  })

  test('lock and elect work', async () => {
    const run = await same(['lock', 'mutex', 'echo', 'held'])
    expect(run.stdout).toBe('held\n')
    const elected = await etcdctl(balsa, ['elect', 'president', 'me'], { untilLines: 2 })
    expect(elected.stdout).toMatch(/^president\/[0-9a-f]+\nme\n$/)
    const heard = await etcdctl(balsa, ['elect', '--listen', 'president'], { untilLines: 2 })
    expect(heard.stdout).toContain('me')
  })
})
