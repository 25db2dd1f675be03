// Servers behind pods that answer what nobody asked for: a client is told so, and the apiserver lives on.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const proxied = '/api/v1/namespaces/default/pods/pod/proxy'
let api: ApiFixture
let server: Server
let answer = ''
const dialled = new Set<Socket>()

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(answer, 'latin1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  api = await ApiFixture.start()
  api.server.nodes.register('n', {
    readLog: () => {
      throw new Error('there is no log')
    },
    dial: () =>
      new Promise<Duplex>((resolve) => {
        const socket = connect(port, '127.0.0.1')
        dialled.add(socket)
        socket.once('close', () => dialled.delete(socket))
        socket.once('connect', () => resolve(socket))
      }),
  })
  for (const [plural, body] of [
    ['serviceaccounts', { metadata: { name: 'default' } }],
    [
      'pods',
      {
        metadata: { name: 'pod' },
        spec: { nodeName: 'n', containers: [{ name: 'main', image: 'node' }] },
      },
    ],
  ] as const) {
    const { status, text } = await api.request('POST', `/api/v1/namespaces/default/${plural}`, {
      body,
    })
    expect(status, text).toBe(201)
  }
})
afterAll(async () => {
  await api.close()
  await new Promise((resolve) => server.close(resolve))
})

test.each([
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 099 None\r\nContent-Length: 0\r\n\r\n'],
  ['control characters', 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n'],
  ['no HTTP', 'SSH-2.0-x\r\n'],
])('%s in answer to a plain GET is 503', async (_name, text) => {
  answer = text
  const { status } = await api.request('GET', `${proxied}/`)
  expect(status).toBe(503)
  await vi.waitFor(() => expect(dialled.size).toBe(0))
})

test('a path that HTTP/1.1 cannot have is refused, and its connection closed', async () => {
  const { status } = await api.request('GET', `${proxied}/a b`)
  expect(status).toBe(503)
  await vi.waitFor(() => expect(dialled.size).toBe(0))
})
