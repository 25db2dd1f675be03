import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listenClients } from './client-listener.ts'
import { FakeMember } from './testing/fake-member.ts'
import { openFakeListener } from './testing/fake-listener.ts'
import type { FakeListener } from './testing/fake-listener.ts'
import { RawHttp2Client } from './testing/raw-http2-client.ts'
import { waitFor } from './testing/wait-for.ts'

let server: FakeListener
beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(() => server.listener.close())

/** What the server answers to raw bytes, until it closes or `until` is seen. */
function talk(
  url: string,
  chunks: readonly (string | Uint8Array)[],
  until: string,
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes(until)) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(text))
    for (const chunk of chunks) socket.write(chunk)
  })
}

test('HTTP/1.1 in single bytes is told from HTTP/2, even when it begins with P', async () => {
  const request = 'POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'
  expect(await talk(server.url, request.split(''), 'key is not provided')).toContain(
    '400 Bad Request',
  )
  const get = ['GET /ver', 'sion HTTP/1.1\r\nHost: x\r\n\r\n']
  expect(await talk(server.url, get, 'etcdcluster')).toContain('"etcdcluster":"3.6.0"')
})

test('two requests on one HTTP/1.1 connection are both answered', async () => {
  const one = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'
  const two = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const text = await talk(server.url, [one + two], 'never')
  expect(text.match(/200 OK/g)).toHaveLength(2)
})

test('what is no protocol at all is answered with 400 and the next connection is served', async () => {
  expect(await talk(server.url, ['\x16\x03\x01\x02\x00garbage\r\n\r\n'], 'never')).toContain('400')
  const response = await fetch(`${server.url}/health`)
  expect(await response.json()).toEqual({ health: 'true', reason: '' })
})

test('an upgrade to an unknown path is refused', async () => {
  const request =
    'GET /nope HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
  expect(await talk(server.url, [request], 'never')).toContain('404 Not Found')
})

test('clients that break off anywhere harm nobody', async () => {
  const { hostname, port } = new URL(server.url)
  const watch = '{"create_request":{"key":"YQ=="}}'
  const starts = [
    'PRI * HTT',
    'GET /nope HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'GET /native HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{',
    `POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: ${watch.length}\r\n\r\n${watch}`,
    'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50),
  ]
  for (let round = 0; round < 10; round++) {
    const closed = starts.map(async (start) => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => socket.destroy())
      await new Promise<void>((resolve) => socket.write(start, () => resolve()))
      if (round % 2 === 0) await new Promise<void>((resolve) => setImmediate(resolve))
      socket.resetAndDestroy()
    })
    await Promise.all(closed)
  }
  await waitFor(() => expect(server.member.openStreams).toBe(0))
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

test('an upgrade to /native goes to the native server', async () => {
  let isClosed = false
  const native = {
    handleUpgrade: (_request: unknown, socket: { end(text: string): void }) =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello'),
    close: () => {
      isClosed = true
      return Promise.resolve()
    },
  }
  const urls = ['http://127.0.0.1:0', 'http://127.0.0.1:0']
  const listener = await listenClients({ member: new FakeMember(), urls, native })
  const request =
    'GET /native?x=1 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
  for (const url of listener.urls) expect(await talk(url, [request], 'never')).toContain('hello')
  expect(new Set(listener.urls).size).toBe(2)
  await listener.close()
  expect(isClosed).toBe(true)
})

test('a busy port is refused with one line that names the URL and the cure, and nothing stays open', async () => {
  const busy = createServer()
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`
  const opening = listenClients({ member: new FakeMember(), urls: ['http://127.0.0.1:0', url] })
  await expect(opening).rejects.toThrow(
    `cannot listen on ${url}: the port is in use; stop what listens there or choose another port`,
  )
  await new Promise<void>((resolve) => busy.close(() => resolve()))
})

test('a URL that is none is refused', async () => {
  for (const url of ['127.0.0.1:2379', 'http://127.0.0.1:0/path', 'http://']) {
    const opening = listenClients({ member: new FakeMember(), urls: [url] })
    await expect(opening).rejects.toThrow(`cannot listen on ${url}: it must look like`)
  }
  const secure = listenClients({ member: new FakeMember(), urls: ['https://127.0.0.1:0'] })
  await expect(secure).rejects.toThrow('TLS key/cert (--cert-file, --key-file) must be provided')
})

test('connections past the limit are closed at once, and there is room again when one ends', async () => {
  const urls = ['http://127.0.0.1:0']
  const listener = await listenClients({ member: new FakeMember(), urls, connectionsMax: 1 })
  const [url = ''] = listener.urls
  const first = new RawHttp2Client(url)
  first.start()
  await waitFor(() => expect(first.frames.length).toBeGreaterThan(1))
  const second = new RawHttp2Client(url)
  await waitFor(() => expect(second.isClosed).toBe(true))
  first.close()
  await waitFor(async () => expect((await fetch(`${url}/livez`)).status).toBe(200))
  await listener.close()
})

test('close ends idle and streaming HTTP connections and frees the port', async () => {
  const own = await openFakeListener()
  const watch = await fetch(`${own.url}/v3/watch`, {
    method: 'POST',
    body: JSON.stringify({ create_request: { key: 'YQ==' } }),
  })
  expect(own.member.openStreams).toBe(1)
  const idle = connect(Number(new URL(own.url).port), '127.0.0.1')
  const idleClosed = new Promise<void>((resolve) => idle.on('close', () => resolve()))
  idle.on('error', () => idle.destroy())
  await own.listener.close()
  await idleClosed
  const lines = (await watch.text()).trim().split('\n')
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    error: { message: 'etcdserver: server stopped' },
  })
  await waitFor(() => expect(own.member.openStreams).toBe(0))
  await expect(fetch(`${own.url}/health`)).rejects.toThrow()
})

test('on close a waiting HTTP request is answered first', async () => {
  const own = await openFakeListener()
  const held: (() => void)[] = []
  own.member.hold = (run) => held.push(run)
  const answer = fetch(`${own.url}/v3/kv/range`, { method: 'POST', body: '{"key":"YQ=="}' })
  await waitFor(() => expect(held).toHaveLength(1))
  const closing = own.listener.close()
  for (const run of held) run()
  expect(await (await answer).json()).toMatchObject({ header: { cluster_id: '5' } })
  await closing
})
