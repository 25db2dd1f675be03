// `balsa kv` against a member behind TLS, with etcdctl's flags and variables; etcdctl is asked the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTlsBalsaMember, type TlsBalsaMember } from './balsa-member.ts'
import { run } from './balsa-process.ts'
import { balsaMain, missing, tools } from './tools.ts'

/** A busy machine is not what is tested. */
const patient = ['--dial-timeout', '30s', '--command-timeout', '30s']

describe('balsa kv over TLS', () => {
  let balsa: TlsBalsaMember
  let folder: string
  let files: string[]
  let address: string
  beforeAll(async () => {
    balsa = await openTlsBalsaMember()
    address = balsa.url.replace('https://', '')
    folder = mkdtempSync(join(tmpdir(), 'balsa-kv-tls-'))
    const texts = { cacert: balsa.ca, ...balsa.client }
    files = Object.entries(texts).flatMap(([name, text]) => {
      const path = join(folder, `${name}.pem`)
      writeFileSync(path, text, { mode: 0o600 })
      return [`--${name}`, path]
    })
  })
  afterAll(async () => {
    await balsa[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })
  const kv = (args: string[], env: Record<string, string> = {}): ReturnType<typeof run> =>
    run(process.execPath, [balsaMain, 'kv', ...patient, ...args], { env })

  test.each(['native', 'grpc'])(
    'over %s the flags do, with an endpoint that has no scheme',
    async (protocol) => {
      const there = ['--endpoints', address, '--protocol', protocol, ...files]
      expect((await kv(['put', 'a', protocol, ...there])).stdout).toBe('OK\n')
      expect((await kv(['get', 'a', ...there])).stdout).toBe(`a\n${protocol}\n`)
      const status = await kv(['endpoint', 'status', ...there])
      expect(status.stdout.split(', ')[0]).toBe(address)
    },
  )

  test('the variables do as well, and a server may be trusted without a look', async () => {
    const [, ca = '', , cert = '', , key = ''] = files
    const own = { ETCDCTL_ENDPOINTS: address, ETCDCTL_CERT: cert, ETCDCTL_KEY: key }
    expect((await kv(['put', 'a', 'x'], { ...own, ETCDCTL_CACERT: ca })).stdout).toBe('OK\n')
    const blind = ['--insecure-skip-tls-verify']
    for (const protocol of ['native', 'grpc']) {
      const got = await kv(['get', 'a', '--protocol', protocol, ...blind], own)
      expect(got.stdout).toBe('a\nx\n')
    }
    const distrustful = await kv(['get', 'a', '--dial-timeout', '500ms'], own)
    expect(distrustful.stderr).toMatch(/^balsa: no server answered at https:/)
  })

  test('a file that is not there is named, and so is half a pair', async () => {
    expect((await kv(['get', 'a', '--cacert', '/nowhere'])).stderr).toBe(
      'balsa: --cacert: /nowhere cannot be read\n',
    )
    const [, , , cert = ''] = files
    expect((await kv(['get', 'a', '--cert', cert])).stderr).toBe(
      'balsa: --cert and --key must be given together\n',
    )
  })

  test.skipIf(missing('etcdctl'))('etcdctl reads the same with the same flags', async () => {
    const there = ['--endpoints', address, ...files]
    await kv(['put', 'same', 'value', ...there])
    const { stdout } = await run(tools.etcdctl ?? '', [...patient, 'get', 'same', ...there])
    expect((await kv(['get', 'same', ...there])).stdout).toBe(stdout)
  })
})
