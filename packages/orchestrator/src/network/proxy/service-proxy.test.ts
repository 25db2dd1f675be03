// The proxy between a real apiserver's objects and real sockets of loopback; endpoints are servers of the test.
import { createSocket } from 'node:dgram'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { serviceNameLabel } from '../../controllers/endpoint-slices.ts'
import { type Cluster, startCluster } from '../../cluster.ts'
import { endpointSliceType, type EndpointSlice } from '../../resources/endpoint-slice.ts'
import { serviceType, type Service, type ServiceSpec } from '../../resources/service.ts'
import { ServiceProxy } from './service-proxy.ts'

const namespace = 'default'
let cluster: Cluster
let proxy: ServiceProxy
const servers: Server[] = []
const far: string[] = []

beforeAll(async () => {
  cluster = await startCluster({ agents: 0 })
  proxy = ServiceProxy.start({
    client: cluster.client,
    isOwnNode: (name) => name === 'near',
    dialFar: (endpoint) => {
      far.push(endpoint.nodeName)
      const socket = connect({ host: '127.0.0.1', port: endpoint.port, allowHalfOpen: true })
      return Promise.resolve(socket)
    },
    onError: () => undefined,
  })
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
afterAll(async () => {
  await proxy.close()
  await cluster.close()
})

/** Says its name and then what it was told. Its port. */
const startServer = async (name: string, host = '127.0.0.1', port = 0): Promise<number> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.write(`${name} `)
    socket.pipe(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

const freePort = async (): Promise<number> => {
  const port = await startServer('unused')
  servers.pop()?.close()
  return port
}

const createService = async (name: string, spec: ServiceSpec): Promise<string> => {
  const created = await cluster.client.create<Service>(serviceType, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec,
    status: { loadBalancer: {} },
  })
  return created.spec.clusterIP ?? ''
}

interface Target {
  readonly address?: string
  readonly port: number
  readonly nodeName?: string
}
const setEndpoints = async (
  service: string,
  targets: readonly Target[],
  protocol = 'TCP',
): Promise<void> => {
  for (const [index, { address = '127.0.0.1', port, nodeName = 'near' }] of targets.entries()) {
    await cluster.client.apply<EndpointSlice>(
      endpointSliceType,
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${service}-${index}`,
          namespace,
          labels: { [serviceNameLabel]: service },
        },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: [address],
            nodeName,
            targetRef: { kind: 'Pod', namespace, name: `p${index}`, uid: `u${index}` },
          },
        ],
        ports: [{ name: '', protocol, port }],
      },
      { fieldManager: 'test', force: true },
    )
  }
}

/** What the server at the other end says when it is told `said`; what went wrong otherwise. */
const ask = (host: string, port: number, said = 'hello'): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true }, () => socket.end(said))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    void text(socket).then(resolve, () => undefined)
  })
const answers = (host: string, port: number): { toBe(value: string): Promise<void> } =>
  expect.poll(() => ask(host, port), { timeout: 20_000 })

test('connections to the cluster address are passed on in turn, whole and with their ends', async () => {
  const ports = [await startServer('a'), await startServer('b')]
  const address = await createService('two', { ports: [{ port: 5000 }] })
  await setEndpoints(
    'two',
    ports.map((port) => ({ port })),
  )
  await answers(address, 5000).toBe('a hello')
  const said = 'x'.repeat(300_000)
  const heard = [await ask(address, 5000, said), await ask(address, 5000, said)]
  expect(heard.map((one) => one.length)).toEqual([said.length + 2, said.length + 2])
  expect(heard.map((one) => one.slice(0, 1)).toSorted()).toEqual(['a', 'b'])
})

test('an endpoint that refuses is passed over', async () => {
  const ports = [await freePort(), await startServer('alive')]
  const address = await createService('half', { ports: [{ port: 5000 }] })
  await setEndpoints(
    'half',
    ports.map((port) => ({ port })),
  )
  await answers(address, 5000).toBe('alive hello')
  expect(await ask(address, 5000)).toBe('alive hello')
})

test('a Service without endpoints refuses, and what stands goes on when it is gone', async () => {
  const port = await startServer('old')
  const address = await createService('gone', { ports: [{ port: 5000 }] })
  expect(await ask(address, 5000)).toBe('ECONNREFUSED')
  await setEndpoints('gone', [{ port }])
  await answers(address, 5000).toBe('old hello')
  const standing = connect({ port: 5000, host: address, allowHalfOpen: true })
  await new Promise((resolve) => standing.once('data', resolve))
  await cluster.client.delete(endpointSliceType, namespace, 'gone-0')
  await answers(address, 5000).toBe('ECONNREFUSED')
  await cluster.client.delete(serviceType, namespace, 'gone')
  standing.end('still here')
  expect(await text(standing)).toBe('still here')
})

test('node ports are open on loopback', async () => {
  const port = await startServer('node')
  const nodePort = 30_000 + (process.pid % 2000)
  await createService('outside', { type: 'NodePort', ports: [{ port: 5000, nodePort }] })
  await setEndpoints('outside', [{ port }])
  await answers('127.0.0.1', nodePort).toBe('node hello')
})

test('pods of other machines are dialled by the way that was given', async () => {
  const port = await startServer('far')
  const address = await createService('away', { ports: [{ port: 5000 }] })
  await setEndpoints('away', [{ address: '127.64.0.9', port, nodeName: 'other' }])
  await answers(address, 5000).toBe('far hello')
  expect(far).toContain('other')
})

test('a pod that is to listen everywhere at the port of its Service gets it, and answers at the cluster address', async () => {
  const port = await freePort()
  const address = await createService('same', { ports: [{ port }] })
  await setEndpoints('same', [{ port }])
  expect(await ask(address, port)).toBe('ECONNREFUSED')
  // Would fail if the proxy had the port of any address of loopback.
  await startServer('everywhere', '0.0.0.0', port)
  await answers(address, port).toBe('everywhere hello')
})

test('datagrams go to an endpoint and answers come back', async () => {
  const server = createSocket('udp4')
  server.on('message', (bytes, from) =>
    server.send(`echo ${String(bytes)}`, from.port, from.address),
  )
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  const address = await createService('datagrams', { ports: [{ port: 5000, protocol: 'UDP' }] })
  await setEndpoints('datagrams', [{ port: server.address().port }], 'UDP')
  const client = createSocket('udp4')
  const heard: string[] = []
  client.on('message', (bytes) => heard.push(String(bytes)))
  client.on('error', () => undefined)
  await expect
    .poll(
      () => {
        client.send('hello', 5000, address, () => undefined)
        return heard[0]
      },
      { timeout: 20_000 },
    )
    .toBe('echo hello')
  client.close()
  server.close()
})
