// Servers behind pods that answer what nobody asked for: a client is told so, and the apiserver lives on.
import { request } from 'node:https'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const proxied = '/api/v1/namespaces/default/pods/pod/proxy'
let api: ApiFixture
let server: Server
let answer = ''
/** What the server behind the pod was asked last. */
let received = ''
const dialled = new Set<Socket>()

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk: Buffer) => {
      received = chunk.toString('latin1')
      socket.write(answer, 'latin1')
    })
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

/** Over HTTP/1.1, as the administrator; the head of the answer. */
const ask = async (
  headers: readonly string[],
): Promise<{ readonly status: number; readonly headers: object }> => {
  const { certificates, url } = api.server
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${proxied}/`, {
      ca: certificates.ca.certificate,
      cert: certificates.admin.certificate,
      key: certificates.admin.key,
      headers,
      agent: false,
    })
    asked.on('error', reject)
    asked.once('response', (got) => {
      got.resume()
      got.once('end', () => resolve({ status: got.statusCode ?? 0, headers: got.headers }))
    })
    asked.end()
  })
}

test('what means one hop alone stays on it, both ways: also headers that Connection names', async () => {
  answer =
    'HTTP/1.1 200 OK\r\nConnection: close, X-Near\r\nX-Near: 1\r\nProxy-Authenticate: x\r\nTrailer: y\r\nX-Far: 2\r\nContent-Length: 0\r\n\r\n'
  const own = ['Keep-Alive', 'x', 'Proxy-Authorization', 'x', 'TE', 'trailers', 'X-Far', 'kept']
  const named = ['Connection', 'close, X-Near ,x-also', 'X-Near', 'secret', 'X-Also', 'secret']
  const got = await ask(['Host', 'x', ...own, ...named])
  expect(got.status).toBe(200)
  expect(received).toMatch(/^x-far: kept\r$/im)
  expect(received).not.toMatch(/secret|keep-alive|proxy-authorization|^te:/im)
  expect(got.headers).toMatchObject({ 'x-far': '2' })
  for (const name of ['x-near', 'proxy-authenticate', 'trailer', 'connection'])
    expect(Reflect.get(got.headers, name) ?? '').not.toMatch(/1|x|y|near/i)
})

test('headers with names that objects have of their own are headers like others', async () => {
  answer = 'HTTP/1.1 200 OK\r\nConstructor: c\r\nContent-Length: 0\r\n\r\n'
  const names = ['constructor', 'tostring', 'valueof', 'hasownproperty']
  const headers = Object.fromEntries([...names, '__proto__'].map((name) => [name, 'sent']))
  const got = await api.request('GET', `${proxied}/`, { headers })
  expect(got.headers['constructor']).toBe('c')
  for (const name of [...names, '__proto__'])
    expect(received).toMatch(new RegExp(`^${name}: sent\\r$`, 'm'))
  await ask(['Host', 'x', ...names.flatMap((name) => [name, 'sent'])])
  for (const name of names) expect(received).toMatch(new RegExp(`^${name}: sent\\r$`, 'm'))
})

test.each(['GET', 'HEAD'])('%s of the proxy itself leads to its root', async (method) => {
  const { status, headers } = await api.request(method, `${proxied}?a=b`)
  expect([status, headers['location']]).toEqual([301, `${proxied}/?a=b`])
})
