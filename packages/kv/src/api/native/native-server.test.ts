import { afterEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { listenNative } from '../../client/testing/native-listener.ts'
import type { NativeListener } from '../../client/testing/native-listener.ts'
import {
  decodePutResponse,
  decodeWatchResponse,
  encodeMemberListRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeWatchRequest,
} from '../../proto/index.ts'
import { putRequestOf, rangeRequestOf, watchRequestOf } from '../../client/convert.ts'
import { FakeMember } from '../testing/fake-member.ts'
import { decodeServerFrame, encodeFrame } from './frame-codec.ts'
import {
  requestFrameSizeBytesMax,
  requestsInFlightMax,
  watchersPerConnectionMax,
} from './native-protocol.ts'
import type { ClientMessage, ServerMessage } from './native-protocol.ts'

const listeners: NativeListener[] = []
const sockets: WebSocket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  for (const listener of listeners.splice(0)) await listener.close()
})

interface TestClient {
  readonly socket: WebSocket
  readonly messages: ServerMessage[]
  readonly frames: number[]
  readonly closed: Promise<[code: number, reason: string]>
  send(...messages: ClientMessage[]): void
}

async function listen(member = new FakeMember()): Promise<NativeListener> {
  const listener = await listenNative(member)
  listeners.push(listener)
  return listener
}

async function open(listener: NativeListener): Promise<TestClient> {
  const socket = new WebSocket(`${listener.endpoint.replace('http', 'ws')}/native`)
  sockets.push(socket)
  const messages: ServerMessage[] = []
  const frames: number[] = []
  socket.on('message', (data) => {
    const frame = decodeServerFrame(data as Buffer)
    frames.push(frame.length)
    messages.push(...frame)
  })
  const closed = new Promise<[number, string]>((resolve) => {
    socket.on('close', (code, reason) => resolve([code, reason.toString()]))
  })
  await new Promise((resolve) => {
    socket.once('open', resolve)
  })
  const send = (...sent: ClientMessage[]): void => socket.send(encodeFrame(sent))
  return { socket, messages, frames, closed, send }
}

const hello: ClientMessage = [0, 'hello', 1]
const put = (id: number, key: string): ClientMessage => [
  id,
  'KV/Put',
  encodePutRequest(putRequestOf(key, 'v')),
]

test('the server introduces itself and its cluster, and again when the leader changes', async () => {
  const member = new FakeMember()
  const client = await open(await listen(member))
  client.send(hello)
  await vi.waitFor(() => expect(client.messages.length).toBe(1))
  const members = [[7n, ['http://127.0.0.1:2379']]]
  expect(client.messages[0]).toEqual([0, 'hello', 1, 5n, 7n, 7n, members])
  member.leaderId = 9n
  await vi.waitFor(() => expect(client.messages.length).toBe(2))
  expect(client.messages[1]?.[5]).toBe(9n)
})

test('requests that come in one frame are answered in one frame, errors with code and text', async () => {
  const client = await open(await listen())
  client.send(hello, put(1, 'a'), put(2, ''), put(3, 'b'), [4, 'KV/Nothing', Buffer.alloc(0)])
  await vi.waitFor(() => expect(client.messages.length).toBe(5))
  expect(client.frames).toEqual([5])
  const [, first, second, third, fourth] = client.messages
  expect(decodePutResponse(first?.[1] as Uint8Array).header.revision).toBe(2)
  expect(second).toEqual([2, 'EMPTY_KEY', 'etcdserver: key is not provided', 0])
  expect(third?.[0]).toBe(3)
  expect(fourth).toEqual([4, 'UNIMPLEMENTED', 'unknown method KV/Nothing', 0])
})

test('a malformed body fails its request and nothing else', async () => {
  const client = await open(await listen())
  client.send(hello, [1, 'KV/Range', Uint8Array.from([0xff, 0xff])], put(2, 'a'))
  await vi.waitFor(() => expect(client.messages.length).toBe(3))
  expect(client.messages[1]?.[1]).toBe('MALFORMED')
  expect(client.messages[2]?.[1]).toBeInstanceOf(Uint8Array)
})

test.each([
  ['bytes that are no frame', (c: TestClient) => c.socket.send(Buffer.from([0xc1])), 4000],
  ['a text frame', (c: TestClient) => c.socket.send('hello'), 1003],
  ['a protocol version of the future', (c: TestClient) => c.send([0, 'hello', 99]), 4001],
  ['a request before the hello', (c: TestClient) => c.send(put(1, 'a')), 4002],
  [
    'a watch request that is none',
    (c: TestClient) => c.send(hello, [0, 'watch', Buffer.from([1])]),
    4000,
  ],
  [
    'a frame above the limit',
    (c: TestClient) => c.socket.send(Buffer.alloc(requestFrameSizeBytesMax + 1)),
    1009,
  ],
])(
  '%s ends the connection with a code that says so, and the server goes on',
  async (_name, act, code) => {
    const listener = await listen()
    const bad = await open(listener)
    act(bad)
    expect((await bad.closed)[0]).toBe(code)
    const good = await open(listener)
    good.send(hello, put(1, 'a'))
    await vi.waitFor(() => expect(good.messages.length).toBe(2))
  },
)

test('the close reason names the version that is spoken', async () => {
  const client = await open(await listen())
  client.send([0, 'hello', 99])
  expect((await client.closed)[1]).toBe('version 99 is not spoken here, version 1 is')
})

test('requests in flight above the limit are refused, the others are answered', async () => {
  const member = new FakeMember()
  const held: (() => void)[] = []
  const client = await open(await listen(member))
  client.send(hello)
  await vi.waitFor(() => expect(client.messages.length).toBe(1))
  member.hold = (run) => void held.push(run)
  const body = encodeRangeRequest(rangeRequestOf({ key: 'a' }))
  const requests = Array.from({ length: requestsInFlightMax + 1 }, (_, i): ClientMessage => [
    i + 1,
    'KV/Range',
    body,
  ])
  client.send(...requests.slice(0, requestsInFlightMax))
  client.send(...requests.slice(requestsInFlightMax))
  await vi.waitFor(() => expect(client.messages.length).toBe(2))
  expect(client.messages[1]?.slice(0, 2)).toEqual([requestsInFlightMax + 1, 'TOO_MANY_REQUESTS'])
  for (const run of held.splice(0)) run()
  await vi.waitFor(() => expect(client.messages.length).toBe(requestsInFlightMax + 2))
  client.send([1, 'KV/Range', body])
  await vi.waitFor(() => expect(held.length).toBe(1))
})

test('watchers get events over the same connection until they are cancelled', async () => {
  const client = await open(await listen())
  const request = { ...watchRequestOf({ prefix: 'w/' }), watchId: 5 }
  client.send(hello, [0, 'watch', encodeWatchRequest({ type: 'create', request })], put(1, 'w/a'))
  await vi.waitFor(() => expect(client.messages.length).toBe(4))
  const seen = client.messages
    .filter((message) => message[1] === 'watch')
    .map((message) => decodeWatchResponse(message[2] as Uint8Array))
  expect(seen.map(({ watchId, created, events }) => [watchId, created, events.length])).toEqual([
    [5, true, 0],
    [5, false, 1],
  ])
  client.send([0, 'watch', encodeWatchRequest({ type: 'cancel', watchId: 5 })], put(2, 'w/b'))
  await vi.waitFor(() => expect(client.messages.length).toBe(6))
  expect(decodeWatchResponse(client.messages[4]?.[2] as Uint8Array).canceled).toBe(true)
})

test('watchers above the limit are refused, each with an answer', async () => {
  const client = await open(await listen())
  client.send(hello)
  const body = encodeWatchRequest({ type: 'create', request: watchRequestOf({ key: 'a' }) })
  const create: ClientMessage = [0, 'watch', body]
  const some = Array.from({ length: 5000 }, () => create)
  for (let sent = 0; sent < watchersPerConnectionMax; sent += some.length) client.send(...some)
  client.send(create)
  await vi.waitFor(() => expect(client.messages.length).toBe(watchersPerConnectionMax + 2), 20_000)
  const last = decodeWatchResponse(client.messages.at(-1)?.[2] as Uint8Array)
  expect([last.created, last.canceled]).toEqual([true, true])
  expect(last.cancelReason).toBe(`more than ${watchersPerConnectionMax} watchers on one connection`)
})

test('a client that does not read holds its watchers back and loses nothing when it reads again', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const slow = await open(listener)
  const request = watchRequestOf({ prefix: 'big/' })
  slow.send(hello, [0, 'watch', encodeWatchRequest({ type: 'create', request })])
  await vi.waitFor(() => expect(slow.messages.length).toBe(2))
  slow.socket.pause()
  const value = 'x'.repeat(1 << 20)
  const count = 64
  for (let i = 0; i < count; i++) {
    const body = encodePutRequest(putRequestOf(`big/${i}`, value))
    await new Promise((resolve) => {
      member.put(body, resolve)
    })
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  slow.socket.resume()
  await vi.waitFor(() => expect(slow.messages.length).toBe(2 + count), 20_000)
  expect(member.resumed).toBeGreaterThan(0)
})

test('closing the server says goodbye with code 1001 and ends the watch streams', async () => {
  const member = new FakeMember()
  const listener = await listen(member)
  const client = await open(listener)
  const create = encodeWatchRequest({ type: 'create', request: watchRequestOf({ key: 'a' }) })
  client.send(
    hello,
    [0, 'watch', create],
    [1, 'Cluster/MemberList', encodeMemberListRequest({ linearizable: true })],
  )
  await vi.waitFor(() => expect(client.messages.length).toBe(3))
  expect(member.openStreams).toBe(1)
  await listener.close()
  expect(await client.closed).toEqual([1001, 'server stopped'])
  await vi.waitFor(() => expect(member.openStreams).toBe(0))
})
