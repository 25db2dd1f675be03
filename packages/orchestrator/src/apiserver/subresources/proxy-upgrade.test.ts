// WebSockets through the proxies of pods and services, between a real client and a real server.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Json } from '../../resources/object.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const base = '/api/v1/namespaces/default'
let api: ApiFixture
let http: Server
let sockets: WebSocketServer
/** What the server behind the pod was asked. */
const asked: { readonly url: string; readonly authorization: string | undefined }[] = []

beforeAll(async () => {
  http = createServer((request, response) => {
    response.statusCode = 418
    response.end(`no upgrade of ${request.url ?? ''}`)
  })
  sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    const url = request.url ?? ''
    asked.push({ url, authorization: request.headers.authorization })
    if (url.startsWith('/refuse')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.send('hello')
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }))
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  api = await ApiFixture.start()
  api.server.nodes.register('n', {
    readLog: () => {
      throw new Error('there is no log')
    },
    dial: (_pod, wanted) =>
      new Promise<Duplex>((resolve, reject) => {
        const socket = connect(wanted === 80 ? port : 1, '127.0.0.1')
        socket.once('connect', () => resolve(socket))
        socket.once('error', reject)
      }),
  })
  await api.request('POST', `${base}/serviceaccounts`, { body: { metadata: { name: 'default' } } })
  await made('pods', {
    metadata: { name: 'pod' },
    spec: { nodeName: 'n', containers: [{ name: 'main', image: 'node' }] },
  })
  await made('services', { metadata: { name: 'web' }, spec: { ports: [{ port: 8080 }] } })
  const targetRef = { kind: 'Pod', name: 'pod', namespace: 'default' }
  await made('endpoints', {
    metadata: { name: 'web' },
    subsets: [{ addresses: [{ ip: '127.0.0.9', targetRef }], ports: [{ port: 80 }] }],
  })
})
afterAll(async () => {
  await api.close()
  sockets.close()
  await new Promise((resolve) => http.close(resolve))
})

const made = async (plural: string, body: Json): Promise<void> => {
  const { status, text } = await api.request('POST', `${base}/${plural}`, { body })
  expect(status, text).toBe(201)
}
const open = (path: string): WebSocket => {
  const { url, certificates } = api.server
  return new WebSocket(`${url.replace('https', 'wss')}${base}${path}`, ['chat'], {
    ca: certificates.ca.certificate,
    cert: certificates.admin.certificate,
    key: certificates.admin.key,
  })
}
const next = async (socket: WebSocket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(data as Buffer))
    socket.once('error', reject)
  })

test.each(['/pods/pod:80/proxy/chat?room=1', '/services/web:8080/proxy/chat?room=1'])(
  'a WebSocket goes through %s, both ways and to its end',
  async (path) => {
    asked.length = 0
    const socket = open(path)
    expect((await next(socket)).toString()).toBe('hello')
    expect(socket.protocol).toBe('chat')
    expect(asked).toEqual([{ url: '/chat?room=1', authorization: undefined }])
    const large = Buffer.alloc(300_000, 7)
    const answer = next(socket)
    socket.send(large)
    expect((await answer).equals(large)).toBe(true)
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    const [server] = sockets.clients
    server?.close(4001, 'enough')
    expect(await closed).toBe(4001)
  },
)

test('a client that leaves is gone for the server too', async () => {
  const socket = open('/pods/pod:80/proxy/chat')
  await next(socket)
  const [server] = sockets.clients
  const gone = new Promise<void>((resolve) => server?.once('close', () => resolve()))
  socket.terminate()
  await gone
})

test('an upgrade that is refused is an answer like any other', async () => {
  const refusal = async (path: string): Promise<readonly [number | undefined, string]> =>
    new Promise((resolve, reject) => {
      const socket = open(path)
      socket.once('open', () => reject(new Error('it was taken')))
      socket.once('error', reject)
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve([response.statusCode, Buffer.concat(chunks).toString()]))
      })
    })
  expect(await refusal('/pods/pod:80/proxy/refuse')).toEqual([403, 'no!\n'])
  const [status, text] = await refusal('/pods/pod:81/proxy/chat')
  expect([status, JSON.parse(text).message]).toEqual([
    503,
    expect.stringContaining('error trying to reach service'),
  ])
  expect((await refusal('/pods/none:80/proxy/chat'))[0]).toBe(404)
})
