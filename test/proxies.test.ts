// etcd's two proxies, as commands, in front of Balsa and of real etcd: Debian's etcdctl must not notice them.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember } from './balsa-member.ts'
import { BalsaProcess, run, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { startEtcd } from './etcd-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}

const etcdctl = async (endpoint: string, ...args: string[]): Promise<string> => {
  const env = { ETCDCTL_API: '3' }
  const done = await run(tools.etcdctl ?? 'etcdctl', ['--endpoints', endpoint, ...args], { env })
  if (done.code !== 0) throw new Error(`etcdctl ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** An etcdctl that runs on, and what it prints. */
class Running {
  readonly child: ChildProcess
  readonly closed: Promise<unknown>
  stdout = ''

  constructor(endpoint: string, args: readonly string[]) {
    const env = { ...process.env, ETCDCTL_API: '3' }
    this.child = spawn(tools.etcdctl ?? 'etcdctl', ['--endpoints', endpoint, ...args], { env })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.closed = new Promise((resolve) => this.child.once('close', resolve))
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.closed
  }
}

/** What scripts do with a cluster. */
async function use(endpoint: string): Promise<void> {
  expect(await etcdctl(endpoint, 'put', 'a', '1')).toBe('OK\n')
  expect(await etcdctl(endpoint, 'put', 'b', '2', '--prev-kv')).toBe('OK\n')
  expect(await etcdctl(endpoint, 'get', 'a')).toBe('a\n1\n')
  expect(await etcdctl(endpoint, 'get', '--prefix', '', '--keys-only')).toBe('a\n\nb\n\n')
  expect(await etcdctl(endpoint, 'get', 'a', 'c', '--order', 'DESCEND')).toBe('b\n2\na\n1\n')
  const granted = await etcdctl(endpoint, 'lease', 'grant', '100')
  const lease = /lease ([0-9a-f]+) granted/.exec(granted)?.[1] ?? ''
  await etcdctl(endpoint, 'put', 'leased', 'x', `--lease=${lease}`)
  expect(await etcdctl(endpoint, 'lease', 'keep-alive', '--once', lease)).toContain('TTL(100)')
  expect(await etcdctl(endpoint, 'lease', 'timetolive', '--keys', lease)).toContain(
    'keys([leased])',
  )
  await etcdctl(endpoint, 'lease', 'revoke', lease)
  expect(await etcdctl(endpoint, 'get', 'leased')).toBe('')
  expect(await etcdctl(endpoint, 'get', 'a', '--consistency=s')).toBe('a\n1\n')
  expect(await etcdctl(endpoint, 'put', 'a', '3')).toBe('OK\n')
  expect(await etcdctl(endpoint, 'get', 'a', '--consistency=s')).toBe('a\n3\n')
  await expect(etcdctl(endpoint, 'put', '', 'x')).rejects.toThrow('key is not provided')
  await expect(etcdctl(endpoint, 'get', 'a', '--rev', '9999')).rejects.toThrow('future revision')
  expect(await etcdctl(endpoint, 'del', '--prefix', 'b')).toBe('1\n')
  expect(await etcdctl(endpoint, 'endpoint', 'health').catch(String)).not.toContain('unhealthy')
}

async function watchThrough(endpoint: string): Promise<void> {
  const watch = new Running(endpoint, ['watch', 'watched/', '--prefix'])
  const other = new Running(endpoint, ['watch', 'watched/', '--prefix'])
  try {
    await waitFor('both watches to be told', async () => {
      await etcdctl(endpoint, 'put', 'watched/a', 'again')
      return [watch, other].every(({ stdout }) => stdout.startsWith('PUT\nwatched/a\nagain\n'))
    })
    const { header } = JSON.parse(await etcdctl(endpoint, 'put', 'watched/b', 'x', '-w', 'json'))
    await etcdctl(endpoint, 'del', 'watched/b')
    const end = 'PUT\nwatched/b\nx\nDELETE\nwatched/b\n\n'
    await waitFor('the last events', () =>
      [watch, other].every((each) => each.stdout.endsWith(end)),
    )
    const old = new Running(endpoint, ['watch', 'watched/b', `--rev=${header.revision}`])
    await waitFor('old events', () => old.stdout === end)
    await old.stop()
  } finally {
    await Promise.all([watch.stop(), other.stop()])
  }
}

async function start(
  command: readonly string[],
  endpoints: string,
): Promise<[string, BalsaProcess]> {
  const [port] = await freePorts(1)
  const address = `127.0.0.1:${port}`
  const own = ['--listen-addr', address, '--endpoints', endpoints]
  const proxy = new BalsaProcess(['member', ...command, ...own])
  await proxy.ready(command[0] === 'gateway' ? 'ready to proxy' : 'started gRPC proxy')
  return [address, proxy]
}

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text()
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
}

const backends: readonly (readonly [string, () => Promise<Server>])[] = [
  ['Balsa', openBalsaMember],
  ['etcd', startEtcd],
]
describe.skipIf(missing('etcd', 'etcdctl')).each(backends)('in front of %s', (_name, open) => {
  let server: Server
  beforeAll(async () => {
    server = await open()
  })
  afterAll(async () => {
    await stopBalsaProcesses()
    await server[Symbol.asyncDispose]()
  })

  test('the TCP gateway passes everything on, past an endpoint that is down', async () => {
    const command = ['gateway', 'start', '--retry-delay', '10s']
    const [address, gateway] = await start(command, `127.0.0.1:1,${server.url}`)
    await use(address)
    await watchThrough(address)
    expect(gateway.stderr).toContain('deactivated endpoint')
    expect(await gateway.stop()).toBe(0)
  })

  test('the gRPC proxy passes everything on, and merges and keeps what it can', async () => {
    const command = ['grpc-proxy', 'start', '--advertise-client-url', '10.0.0.1:1']
    const [address, proxy] = await start(command, `127.0.0.1:1,${server.url.slice(7)}`)
    await etcdctl(address, 'del', '--prefix', '')
    await use(address)
    await watchThrough(address)
    expect(await etcdctl(address, 'member', 'list')).toContain('10.0.0.1:1')
    await etcdctl(address, 'get', 'a', '--consistency=s')
    const hits = await metric(address, 'etcd_grpc_proxy_cache_hits_total')
    await etcdctl(address, 'get', 'a', '--consistency=s')
    expect(await metric(address, 'etcd_grpc_proxy_cache_hits_total')).toBe(hits + 1)
    expect(await metric(address, 'etcd_grpc_proxy_events_coalescing_total')).toBeGreaterThan(0)
    const health = await fetch(`http://${address}/health`)
    expect([health.status, await health.text()]).toEqual([200, '{"health":"true","reason":""}'])
    expect(await proxy.stop()).toBe(0)
  })

  test('a namespace keeps a part of the store to itself', async () => {
    const direct = server.url
    await etcdctl(direct, 'del', '--prefix', '')
    await etcdctl(direct, 'put', 'outside', '1')
    const command = ['grpc-proxy', 'start', '--namespace', 'ns/']
    const [address, proxy] = await start(command, server.url)
    await use(address)
    await watchThrough(address)
    expect(await etcdctl(address, 'get', '--prefix', '', '--keys-only')).toBe('a\n\nwatched/a\n\n')
    expect(await etcdctl(direct, 'get', '--prefix', '', '--keys-only')).toBe(
      'ns/a\n\nns/watched/a\n\noutside\n\n',
    )
    const lock = new Running(address, ['lock', 'l', 'echo', 'held'])
    await waitFor('the lock', () => lock.stdout.includes('held'))
    await lock.stop()
    expect(await proxy.stop()).toBe(0)
  })

  test('proxies of one prefix are listed as members', async () => {
    const command = ['grpc-proxy', 'start', '--resolver-prefix', '/proxies', '--resolver-ttl', '10']
    const [a, one] = await start([...command, '--advertise-client-url', '10.0.0.1:1'], server.url)
    const [, two] = await start([...command, '--advertise-client-url', '10.0.0.2:1'], server.url)
    const list = await waitFor('both proxies', async () => {
      const members = await etcdctl(a, 'member', 'list')
      return members.includes('10.0.0.1:1') && members.includes('10.0.0.2:1') && members
    })
    expect(list.trim().split('\n').length).toBe(2)
    await two.stop()
    await waitFor('one of them to go', async () => {
      return !(await etcdctl(a, 'member', 'list')).includes('10.0.0.2:1')
    })
    await one.stop()
  })
})
