// Verbs of `balsa kv` on a member of Balsa: what etcdctl has too prints what etcdctl prints about the same server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember, type BalsaMember } from './balsa-member.ts'
import { run, runBalsa, type Finished } from './balsa-process.ts'
import { missing, tools } from './tools.ts'

/** A busy machine is not what is tested. */
const patient = ['--dial-timeout=30s', '--command-timeout=30s']

describe('verbs of balsa kv', () => {
  let member: BalsaMember
  beforeAll(async () => {
    member = await openBalsaMember()
  })
  afterAll(() => member[Symbol.asyncDispose]())

  const balsa = (argv: readonly string[], input = ''): Promise<Finished> =>
    runBalsa(['kv', ...argv, `--endpoints=${member.url}`, ...patient], { input })
  const etcdctl = (argv: readonly string[], input = ''): Promise<Finished> =>
    run(tools.etcdctl ?? '', [...argv, `--endpoints=${member.url}`, ...patient], {
      input,
      env: { ETCDCTL_API: '3' },
    })
  const memberId = async (): Promise<string> => {
    const url = `${member.url}/v3/maintenance/status`
    const reply = await fetch(url, { method: 'POST', body: '{}' })
    return ((await reply.json()) as { header: { member_id: string } }).header.member_id
  }

  describe.skipIf(missing('etcdctl'))('judged by etcdctl', () => {
    /** How long it took is nobody's promise, and makes a table wider. */
    const masked = (text: string): string =>
      text
        .replaceAll(/[\d.]+(ms|µs|s)\b/g, 'TIME')
        .replaceAll(/ +/g, ' ')
        .replaceAll(/-+/g, '-')

    test.each(['simple', 'json', 'table', 'fields'])('endpoints, as %s', async (format) => {
      for (const verb of ['status', 'hashkv', 'health']) {
        const argv = ['endpoint', verb, '-w', format]
        const [ours, theirs] = [await balsa(argv), await etcdctl(argv)]
        // This one line etcdctl writes to standard error.
        const isSaidElsewhere = verb === 'health' && format === 'simple'
        const judged = isSaidElsewhere ? theirs.stderr : theirs.stdout
        expect([masked(ours.stdout), ours.code]).toEqual([masked(judged), theirs.code])
        expect(ours.stdout).not.toBe('')
      }
      const cluster = await balsa(['endpoint', 'status', '--cluster', '-w', 'simple'])
      expect(cluster.stdout).toContain(`${member.url}, `)
    })

    test('transactions: both branches, prompts, and what is refused', async () => {
      await balsa(['put', 'a', '1'])
      const requests = 'put t "a b"\nget a\ndel missing\n\nput --prev-kv a 1\nget --prefix a\n\n'
      for (const input of [
        `value("a") = "1"\nmod("a") > "0"\n\n${requests}`,
        `ver("a") < "1"\n\n${requests}`,
        '\n\n\n',
      ]) {
        for (const argv of [['txn'], ['txn', '-i']]) {
          const [ours, theirs] = [await balsa(argv, input), await etcdctl(argv, input)]
          expect([ours.stdout, ours.code]).toEqual([theirs.stdout, theirs.code])
        }
      }
      for (const input of ['bad\n\n\n\n', '\nnope\n\n\n', '\nput a', 'size("a") = "1"\n\n\n\n']) {
        const [ours, theirs] = [await balsa(['txn'], input), await etcdctl(['txn'], input)]
        expect(ours.stderr).toBe(theirs.stderr.replace('Error: ', 'balsa: '))
        expect(ours.code).toBe(1)
      }
    })

    test.each(['json', 'fields'])('what reads and writes answer, whole, as %s', async (format) => {
      const shown = ({ stdout }: Finished): string =>
        stdout
          .replaceAll(/("\w*revision"\s?:\s?)\d+/gi, '$1R')
          .replaceAll(/(ersion"\s?:\s?)\d+/g, '$1V')
      const input = 'c("a") > "0"\n\nput j 1\nget a\ndel j2\n\n\n'
      const value = 'é 😀 \u0001\u00ad\t"\\\n\u007f\u3000'
      for (const argv of [
        ['put', 'a', value],
        ['put', 'a', value, '--prev-kv'],
        ['get', 'a'],
        ['get', '--prefix', '', '--limit=1'],
        ['get', 'nothing'],
        ['txn'],
        ['del', 'j', '--prev-kv'],
        ['del', 'nothing'],
      ]) {
        const asked = [...argv, '-w', format]
        const ours = await balsa(asked, input)
        // A second delete finds nothing.
        if (argv[0] === 'del') await balsa(['put', 'j', '1'])
        const theirs = await etcdctl(asked, input)
        expect([shown(ours), ours.code]).toEqual([shown(theirs), theirs.code])
        expect(shown(ours)).toMatch(/"(cluster_id|ClusterID)" ?: ?[1-9]/)
      }
    })

    test('alarms that are raised, listed and cleared', async () => {
      const body = JSON.stringify({
        action: 'ACTIVATE',
        memberID: await memberId(),
        alarm: 'NOSPACE',
      })
      await fetch(`${member.url}/v3/maintenance/alarm`, { method: 'POST', body })
      const [listed, theirs] = [await balsa(['alarm', 'list']), await etcdctl(['alarm', 'list'])]
      expect(listed.stdout).toMatch(/^memberID:\d+ alarm:NOSPACE \n$/)
      expect(listed.stdout).toBe(theirs.stdout)
      expect((await balsa(['put', 'full', '1'])).stderr).toContain('database space exceeded')
      expect((await balsa(['alarm', 'disarm'])).stdout).toBe(theirs.stdout)
      expect((await balsa(['alarm', 'list', '-w', 'json'])).stdout).toBe('{}\n')
      expect((await balsa(['put', 'full', '1'])).stdout).toBe('OK\n')
    })

    test('defragmentation of each endpoint', async () => {
      const [ours, theirs] = [await balsa(['defrag']), await etcdctl(['defrag'])]
      expect([ours.stdout, ours.code]).toEqual([theirs.stdout, theirs.code])
    })
  })

  test('quotas: set, used up, listed and taken away', async () => {
    const set = await balsa(['quota', 'set', '--prefix', 'q/', '--max-keys=1', '--max-bytes=1KiB'])
    expect(set.stdout).toBe('Quota of prefix "q/" set\n')
    await balsa(['quota', 'set', '--for-user', 'ann', '--max-writes-per-second', '5'])
    expect((await balsa(['put', 'q/1', 'x'])).stdout).toBe('OK\n')
    const refused = await balsa(['put', 'q/2', 'x'])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('"q/"')])
    expect((await balsa(['quota', 'list', '-w', 'table'])).stdout.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^\| +OF +\| +KEYS +\| +BYTES +\| WRITES\/S \| REFUSED \|$/),
      expect.anything(),
      expect.stringMatching(/^\| prefix "q\/" \| +1\/1 \| +4 B\/1\.0 kB \| +- \| +1 \|$/),
      expect.stringMatching(/^\| +user "ann" \| +- \| +- \| +5 \| +0 \|$/),
      expect.anything(),
      '',
    ])
    const json = JSON.parse((await balsa(['quota', 'list', '-w', 'json'])).stdout) as unknown
    expect(json).toMatchObject({ quotas: [{ prefix: 'cS8=', keysMax: 1 }, { user: 'ann' }] })
    expect((await balsa(['quota', 'remove', '--prefix', 'q/'])).code).toBe(0)
    expect((await balsa(['quota', 'remove', '--prefix', 'q/'])).code).toBe(1)
    expect((await balsa(['put', 'q/2', 'x'])).stdout).toBe('OK\n')
    expect((await balsa(['quota', 'remove'])).stderr).toBe(
      'balsa: name either --prefix or --for-user\n',
    )
  })

  test('a check of speed says what it measured and leaves no keys behind', async () => {
    const check = await balsa(['check', 'perf', '--duration', '300ms', '--auto-compact'])
    const number = String.raw`\d+(\.\d+)?s?( writes/s)?`
    expect(check.stdout).toMatch(
      new RegExp(
        `^Compacting with revision (\\d+)\nCompacted with revision \\1\n` +
          `(PASS: Throughput is|FAIL: Throughput too low:) ${number}\n` +
          `(PASS: Slowest request took|Slowest request took too long:) ${number}\n` +
          `(PASS: Stddev is|Stddev too high:) ${number}\n`,
      ),
    )
    const left = await balsa(['get', '--prefix', '/etcdctl-check-perf/', '--count-only'])
    expect(left.stdout).toBe('0\n')
    await balsa(['put', '/etcdctl-check-perf/mine', '1'])
    const refused = await balsa(['check', 'perf', '--duration', '300ms'])
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'balsa: prefix "/etcdctl-check-perf/" has keys. Delete with etcdctl del --prefix /etcdctl-check-perf/ first\n',
    ])
  })

  test('its version and that of the API', async () => {
    expect((await balsa(['version'])).stdout).toMatch(
      /^balsa version: \d+\.\d+\.\d+\nAPI version: 3\.6\n$/,
    )
  })
})
