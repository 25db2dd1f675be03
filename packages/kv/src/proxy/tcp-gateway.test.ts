import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { discoverTargets } from './discover-targets.ts'
import { startTcpGateway } from './tcp-gateway.ts'
import type { GatewayTarget, TcpGateway } from './tcp-gateway.ts'

const servers: Server[] = []
let gateway: TcpGateway | undefined
afterEach(async () => {
  await gateway?.close()
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

/** A server that says its name and ends. */
async function named(name: string, of: Partial<GatewayTarget> = {}): Promise<GatewayTarget> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(name))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { host: '127.0.0.1', port, priority: 0, weight: 0, ...of }
}

/** What the gateway's next connection is told; '' if it is closed. */
function ask(): Promise<string> {
  const port = Number(gateway?.address.split(':').at(-1))
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('utf8').on('data', (part: string) => (text += part))
    socket.on('error', () => socket.destroy()).on('close', () => resolve(text))
  })
}

async function start(targets: readonly GatewayTarget[]): Promise<string[]> {
  const unreachable: string[] = []
  gateway = await startTcpGateway({
    host: '127.0.0.1',
    port: 0,
    targets,
    retryDelayMs: 60_000,
    onUnreachable: ({ port }) => unreachable.push(String(port)),
  })
  return unreachable
}

test('connections go to the members in turn, past those that cannot be reached', async () => {
  const gone = { ...(await named('gone')), port: 1 }
  const unreachable = await start([await named('a'), gone, await named('b')])
  const told = []
  for (let i = 0; i < 6; i++) told.push(await ask())
  expect(told.filter((name) => name === 'a').length).toBe(3)
  expect(told.filter((name) => name === 'b').length).toBe(3)
  expect(unreachable).toEqual(['1'])
})

test('with no member left a connection is closed', async () => {
  await start([{ host: '127.0.0.1', port: 1, priority: 0, weight: 0 }])
  expect([await ask(), await ask()]).toEqual(['', ''])
})

test('weights share out a priority, a higher number waits until the lower ones fail', async () => {
  const targets = [
    await named('seldom', { weight: 1 }),
    await named('often', { weight: 3 }),
    await named('spare', { priority: 5 }),
  ]
  await start(targets)
  const told = []
  for (let i = 0; i < 8; i++) told.push(await ask())
  expect(told.filter((name) => name === 'often').length).toBe(6)
  expect(told).not.toContain('spare')
})

test('members are found by their SRV records, those with TLS first', async () => {
  const records = [{ name: 'm1.example.', port: 2379, priority: 1, weight: 2 }]
  const asked: string[] = []
  const source = {
    endpoints: [],
    discoverySrv: 'example',
    discoverySrvName: 'x',
    insecureDiscovery: true,
  }
  const found = await discoverTargets(source, (name) => {
    asked.push(name)
    return Promise.resolve(name.includes('ssl') ? [] : records)
  })
  expect(asked).toEqual(['_etcd-client-ssl-x._tcp.example', '_etcd-client-x._tcp.example'])
  expect(found).toEqual({
    targets: [{ host: 'm1.example', port: 2379, priority: 1, weight: 2 }],
    isSecure: false,
  })
  const none = discoverTargets({ ...source, insecureDiscovery: false }, () => Promise.resolve([]))
  await expect(none).rejects.toThrow(
    "--discovery-srv 'example' has no records of etcd-client-ssl-x",
  )
  const bad = discoverTargets({ ...source, discoverySrv: '', endpoints: ['what'] })
  await expect(bad).rejects.toThrow("--endpoints has 'what'")
})
