// Scripts and manifests that start `etcd` by its name with their usual flags, variables and files get a member that works, with the lines,
// answers and exit codes they wait for; Debian's etcdctl is the client.
import { spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestAuthority } from '../packages/raft/src/transport/testing/test-authority.ts'
import { run, waitFor, type Finished } from './balsa-process.ts'
import { startEtcd } from './etcd-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, repositoryRoot, tools } from './tools.ts'

let folder: string
let path: string
const running = new Set<ChildProcess>()
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-drop-in-'))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(join(repositoryRoot, 'packages/orchestrator/bin/balsa.js'), join(bin, 'etcd'))
  path = [bin, process.env['PATH'] ?? ''].join(delimiter)
})
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
  }
  rmSync(folder, { recursive: true, force: true })
})

interface Started {
  readonly child: ChildProcess
  readonly output: { stderr: string }
}

/** Starts what a script would start, with `etcd` found on the PATH. */
function start(command: string, env: Record<string, string> = {}): Started {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    cwd: folder,
    env: { ...process.env, PATH: path, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const output = { stderr: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  running.add(child)
  child.once('close', () => running.delete(child))
  return { child, output }
}

async function ready({ child, output }: Started): Promise<void> {
  await waitFor(`etcd to be ready; it said ${output.stderr}`, () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${output.stderr}`)
    return output.stderr.includes('"msg":"ready to serve client requests"')
  })
}

async function stop({ child }: Started): Promise<number | null> {
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  return closed
}

const etcd = (...argv: string[]): Promise<Finished> => run('etcd', argv, { env: { PATH: path } })
const etcdctl = (argv: readonly string[]): Promise<Finished> =>
  run(tools.etcdctl ?? 'etcdctl', ['--command-timeout=20s', ...argv], {
    env: { ETCDCTL_API: '3' },
  })

async function writePki(): Promise<Record<string, string>> {
  const authority = await TestAuthority.create()
  const pki = join(folder, 'pki')
  mkdirSync(pki, { recursive: true })
  writeFileSync(join(pki, 'ca.crt'), authority.ca)
  for (const name of ['server', 'peer', 'client']) {
    const { cert, key } = await authority.sign({ commonName: name })
    writeFileSync(join(pki, `${name}.crt`), cert)
    writeFileSync(join(pki, `${name}.key`), key, { mode: 0o600 })
  }
  return Object.fromEntries(
    ['ca.crt', 'server.crt', 'server.key', 'peer.crt', 'peer.key', 'client.crt', 'client.key'].map(
      (name) => [name, join(pki, name)],
    ),
  )
}

const withDispose = (client: Etcd3): { etcd: Etcd3; [Symbol.asyncDispose](): Promise<void> } => ({
  etcd: client,
  [Symbol.asyncDispose]: () => {
    client.close()
    return Promise.resolve()
  },
})

test('--version, --help and mistakes answer as those of etcd', async () => {
  const version = await etcd('--version')
  expect(version).toMatchObject({ code: 0, stderr: '' })
  expect(version.stdout).toMatch(/^etcd Version: 3\.\d+\.\d+\nGit SHA: /)
  const help = await etcd('--help')
  expect(help.code).toBe(0)
  expect(help.stdout).toMatch(/\nMember:\n {2}--name 'default'\n/)
  const unknown = await etcd('--nonsense')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toMatch(/^flag provided but not defined: -nonsense\nUsage:\n/)
  expect(await etcd('serve')).toMatchObject({ code: 1 })
})

describe.skipIf(missing('etcdctl'))('a member started as', () => {
  test("kubeadm's static pod starts it, mutual TLS to clients and members, answers probes and etcdctl", async () => {
    const pki = await writePki()
    const [client, peer, metrics] = await freePorts(3)
    const started = start(`etcd \\
      --advertise-client-urls=https://127.0.0.1:${client} \\
      --cert-file=${pki['server.crt']} --client-cert-auth=true \\
      --data-dir=${join(folder, 'kubeadm')} \\
      --feature-gates=InitialCorruptCheck=true \\
      --experimental-watch-progress-notify-interval=5s \\
      --initial-advertise-peer-urls=https://127.0.0.1:${peer} \\
      --initial-cluster=node=https://127.0.0.1:${peer} \\
      --key-file=${pki['server.key']} \\
      --listen-client-urls=https://127.0.0.1:${client},unix://${join(folder, 'kubeadm.sock')} \\
      --listen-metrics-urls=http://127.0.0.1:${metrics} \\
      --listen-peer-urls=https://127.0.0.1:${peer} \\
      --name=node --peer-cert-file=${pki['peer.crt']} --peer-client-cert-auth=true \\
      --peer-key-file=${pki['peer.key']} --peer-trusted-ca-file=${pki['ca.crt']} \\
      --snapshot-count=10000 --trusted-ca-file=${pki['ca.crt']}`)
    await ready(started)
    const probe = `http://127.0.0.1:${metrics}`
    const health = await fetch(`${probe}/health?exclude=NOSPACE&serializable=true`)
    expect(await health.json()).toMatchObject({ health: 'true' })
    expect((await fetch(`${probe}/livez`)).status).toBe(200)
    expect(await (await fetch(`${probe}/metrics`)).text()).toContain('etcd_server_has_leader 1')

    const endpoint = `--endpoints=https://127.0.0.1:${client}`
    const authority = `--cacert=${pki['ca.crt']}`
    const own = [`--cert=${pki['client.crt']}`, `--key=${pki['client.key']}`]
    const mutual = [endpoint, authority, ...own]
    expect((await etcdctl([...mutual, 'put', 'a', 'b'])).stdout).toBe('OK\n')
    expect((await etcdctl([...mutual, 'get', 'a'])).stdout).toBe('a\nb\n')
    expect(await etcdctl([...mutual, 'endpoint', 'health'])).toMatchObject({ code: 0 })
    const socket = `--endpoints=unix://${join(folder, 'kubeadm.sock')}`
    expect((await etcdctl([socket, 'get', 'a'])).stdout).toBe('a\nb\n')
    await using client3 = withDispose(
      new Etcd3({
        hosts: `https://127.0.0.1:${client}`,
        credentials: {
          rootCertificate: readFileSync(pki['ca.crt'] ?? ''),
          privateKey: readFileSync(pki['client.key'] ?? ''),
          certChain: readFileSync(pki['client.crt'] ?? ''),
        },
      }),
    )
    const watcher = await client3.etcd.watch().key('a').create()
    const changed = new Promise<string>((resolve) => {
      watcher.on('put', ({ value }) => resolve(value.toString()))
    })
    await client3.etcd.put('a').value('over TLS')
    expect(await changed).toBe('over TLS')
    expect(await client3.etcd.get('a').string()).toBe('over TLS')
    // With users in force the name in the certificate is the user.
    const root = ['--user', 'root:secret']
    for (const words of [
      ['user', 'add', 'root:secret'],
      ['user', 'grant-role', 'root', 'root'],
      ['role', 'add', 'reader'],
      ['role', 'grant-permission', 'reader', 'read', 'a'],
      ['user', 'add', 'client', '--no-password'],
      ['user', 'grant-role', 'client', 'reader'],
      ['auth', 'enable'],
    ]) {
      expect(await etcdctl([...mutual, ...words]), words.join(' ')).toMatchObject({ code: 0 })
    }
    expect((await etcdctl([...mutual, 'get', 'a'])).stdout).toBe('a\nover TLS\n')
    expect((await etcdctl([...mutual, 'put', 'a', 'c'])).stderr).toContain('permission denied')
    expect((await etcdctl([...mutual, ...root, 'put', 'a', 'c'])).stdout).toBe('OK\n')
    expect((await etcdctl([...mutual, ...root, 'auth', 'disable'])).code).toBe(0)
    const refused = await etcdctl([endpoint, authority, '--command-timeout=2s', 'get', 'a'])
    expect(refused.code).not.toBe(0)
    expect(started.output.stderr).toContain("tls: client didn't provide a certificate")
    expect(await stop(started)).toBe(0)
    expect(started.output.stderr).toContain('"msg":"closed etcd server"')
  })

  test('a compose file starts it, with variables alone, and a file for the log', async () => {
    const [client, peer] = await freePorts(2)
    const started = start('etcd', {
      ALLOW_NONE_AUTHENTICATION: 'yes',
      ETCD_NAME: 'etcd-0',
      ETCD_DATA_DIR: join(folder, 'compose'),
      ETCD_LISTEN_CLIENT_URLS: `http://0.0.0.0:${client}`,
      ETCD_ADVERTISE_CLIENT_URLS: `http://127.0.0.1:${client}`,
      ETCD_LISTEN_PEER_URLS: `http://0.0.0.0:${peer}`,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://127.0.0.1:${peer}`,
      ETCD_INITIAL_CLUSTER: `etcd-0=http://127.0.0.1:${peer}`,
      ETCD_INITIAL_CLUSTER_STATE: 'new',
      ETCD_INITIAL_CLUSTER_TOKEN: 'etcd-cluster-1',
      ETCD_ENABLE_V2: 'true',
      ETCD_LOG_OUTPUTS: `stderr,${join(folder, 'compose.log')}`,
    })
    await ready(started)
    const endpoint = `--endpoints=127.0.0.1:${client}`
    expect((await etcdctl([endpoint, 'put', 'a', 'b'])).stdout).toBe('OK\n')
    const members = await etcdctl([endpoint, 'member', 'list'])
    expect(members.stdout).toMatch(
      `, started, etcd-0, http://127.0.0.1:${peer}, http://127.0.0.1:${client}, false\n`,
    )
    expect(await stop(started)).toBe(0)
    expect(readFileSync(join(folder, 'compose.log'), 'utf8')).toBe(started.output.stderr)
    expect(started.output.stderr).toContain('ETCD_ENABLE_V2 is deprecated')
  })

  test('a unit with a configuration file starts it, certificates made by itself', async () => {
    const [client, peer] = await freePorts(2)
    const dataDir = join(folder, 'unit')
    const file = join(folder, 'etcd.conf.yml')
    writeFileSync(
      file,
      `
name: 'unit'
data-dir: ${dataDir}
wal-dir:
snapshot-count: 10000
heartbeat-interval: 100
election-timeout: 1000
quota-backend-bytes: 0
listen-peer-urls: https://127.0.0.1:${peer}
listen-client-urls: https://127.0.0.1:${client}
advertise-client-urls: https://127.0.0.1:${client}
initial-advertise-peer-urls: https://127.0.0.1:${peer}
initial-cluster: unit=https://127.0.0.1:${peer}
initial-cluster-state: 'new'
client-transport-security:
  cert-file:
  key-file:
  client-cert-auth: false
  trusted-ca-file:
  auto-tls: true
peer-transport-security:
  cert-file:
  key-file:
  client-cert-auth: false
  trusted-ca-file:
  auto-tls: true
log-level: info
log-outputs: [stderr]
force-new-cluster: false
auto-compaction-mode: periodic
auto-compaction-retention: "1"
`,
    )
    const started = start(`etcd --config-file=${file}`)
    await ready(started)
    const cert = join(dataDir, 'fixtures/client/cert.pem')
    expect(existsSync(cert)).toBe(true)
    const secure = [`--endpoints=https://127.0.0.1:${client}`, `--cacert=${cert}`]
    expect((await etcdctl([...secure, 'put', 'a', 'b'])).stdout).toBe('OK\n')
    expect(await stop(started)).toBe(0)
  })

  test('an operator changes its settings while it runs, with SIGHUP', async () => {
    const [client, peer] = await freePorts(2)
    const file = join(folder, 'live.yml')
    const write = (more: string): void =>
      writeFileSync(
        file,
        `
data-dir: ${join(folder, 'live')}
listen-peer-urls: http://127.0.0.1:${peer}
listen-client-urls: http://127.0.0.1:${client}
advertise-client-urls: http://127.0.0.1:${client}
${more}
`,
      )
    write('max-request-bytes: 1000')
    const started = start('etcd', { ETCD_CONFIG_FILE: file })
    await ready(started)
    const endpoint = `--endpoints=127.0.0.1:${client}`
    const large = 'v'.repeat(1000)
    expect((await etcdctl([endpoint, 'put', 'a', large])).stderr).toContain('request is too large')
    write('max-request-bytes: 2000\nlog-level: debug\nsnapshot-count: 5')
    started.child.kill('SIGHUP')
    await waitFor('the new settings', () =>
      started.output.stderr.includes('read the settings again'),
    )
    expect(started.output.stderr).toContain('"changed":["maxRequestBytes","logLevel"]')
    expect(started.output.stderr).toContain(
      '"msg":"changed settings that take a restart","changed":["snapshotCount"]',
    )
    expect((await etcdctl([endpoint, 'put', 'a', large])).stdout).toBe('OK\n')
    write('max-request-bytes: nonsense')
    started.child.kill('SIGHUP')
    await waitFor('the refusal', () => started.output.stderr.includes('the old ones stay'))
    expect((await etcdctl([endpoint, 'put', 'a', large])).stdout).toBe('OK\n')
    expect(await stop(started)).toBe(0)
  })
})

test.skipIf(missing('etcd', 'etcdctl'))(
  'three members find each other through a running etcd',
  async () => {
    await using registry = await startEtcd()
    const token = 'drop-in'
    const size = `/_etcd/registry/${token}/_config/size`
    expect((await etcdctl([`--endpoints=${registry.url}`, 'put', size, '3'])).code).toBe(0)
    const ports = await freePorts(6)
    const clientUrl = (i: number): string => `http://127.0.0.1:${ports[i]}`
    const started = [0, 1, 2].map((i) =>
      start(`etcd --name=d${i} --data-dir=${join(folder, `d${i}`)} \\
        --discovery-endpoints=${registry.url} --discovery-token=${token} \\
        --listen-client-urls=${clientUrl(i)} --advertise-client-urls=${clientUrl(i)} \\
        --listen-peer-urls=http://127.0.0.1:${ports[3 + i]} \\
        --initial-advertise-peer-urls=http://127.0.0.1:${ports[3 + i]}`),
    )
    for (const each of started) await ready(each)
    const members = await etcdctl([`--endpoints=${clientUrl(0)}`, 'member', 'list'])
    expect(members.stdout.match(/, started, d[012], /g)).toHaveLength(3)
    for (const each of started) expect(await stop(each)).toBe(0)
    // With its data a member needs no registry any more.
    const again = start(`etcd --name=d0 --data-dir=${join(folder, 'd0')} \\
      --discovery-endpoints=http://127.0.0.1:1 --discovery-token=${token} \\
      --listen-client-urls=${clientUrl(0)} --listen-peer-urls=http://127.0.0.1:${ports[3]}`)
    await waitFor('the restart', () => again.output.stderr.includes('discovery is skipped'))
    await waitFor('its ports', () =>
      again.output.stderr.includes('now serving peer/client/metrics'),
    )
    await stop(again)
  },
)
