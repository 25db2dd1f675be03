// The gRPC layer as the usual client library sees it.
import { fileURLToPath } from 'node:url'
import { connect as connectHttp2 } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openFakeListener } from '../testing/fake-listener.ts'
import type { FakeListener } from '../testing/fake-listener.ts'
import {
  frame,
  grpcMessage,
  grpcRequestHeaders,
  RawHttp2Client,
  uint32,
} from '../testing/raw-http2-client.ts'
import { encodePutRequest } from '../../proto/index.ts'
import { parseTimeoutMs } from './grpc-headers.ts'
import { frameFlag, frameType } from './http2/http2-protocol.ts'
import { waitFor } from '../testing/wait-for.ts'

type Message = Record<string, unknown>
type Unary = (
  request: Message,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, reply: Message) => void,
) => grpc.ClientUnaryCall
type Duplex = () => grpc.ClientDuplexStream<Message, Message>

const folder = fileURLToPath(new URL('../../../proto/', import.meta.url))
const definition = grpc.loadPackageDefinition(
  loadSync('rpc.proto', {
    includeDirs: [folder],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  }),
) as unknown as Record<string, Record<string, grpc.ServiceClientConstructor>>
const services = definition['etcdserverpb'] ?? {}

let server: FakeListener
const clients: grpc.Client[] = []

beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(async () => {
  for (const client of clients) client.close()
  await server.listener.close()
})
beforeEach(() => {
  server.member.hold = undefined
  server.member.leaderId = 7n
})

function clientOf(name: string, options: grpc.ClientOptions = {}): grpc.Client {
  const Client = services[name]
  if (Client === undefined) throw new Error(`no service ${name}`)
  const client = new Client(server.url.slice('http://'.length), grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    ...options,
  })
  clients.push(client)
  return client
}

function call(
  client: grpc.Client,
  method: string,
  request: Message,
  options: { metadata?: grpc.Metadata; call?: grpc.CallOptions } = {},
): Promise<Message> {
  const unary = (client as unknown as Record<string, Unary>)[method]
  return new Promise((resolve, reject) => {
    unary?.call(
      client,
      request,
      options.metadata ?? new grpc.Metadata(),
      options.call ?? {},
      (error, reply) => {
        if (error === null) resolve(reply)
        else reject(error)
      },
    )
  })
}

function stream(client: grpc.Client, method: string): grpc.ClientDuplexStream<Message, Message> {
  const open = (client as unknown as Record<string, Duplex>)[method]
  if (open === undefined) throw new Error(`no method ${method}`)
  return open.call(client)
}

test('unary calls of every service are answered', async () => {
  const kv = clientOf('KV')
  await call(kv, 'Put', { key: Buffer.from('a'), value: Buffer.from('1') })
  const range = await call(kv, 'Range', { key: Buffer.from('a') })
  expect(range).toMatchObject({ count: '1', kvs: [{ value: Buffer.from('1') }] })
  const list = await call(clientOf('Cluster'), 'MemberList', {})
  expect(list).toMatchObject({ members: [{ ID: '7', name: 'fake' }] })
  const status = await call(clientOf('Maintenance'), 'Status', {})
  expect(status).toMatchObject({ version: '3.6.1', leader: '7' })
  const granted = await call(clientOf('Lease'), 'LeaseGrant', { TTL: 60, ID: 4242 })
  expect(granted).toMatchObject({ ID: '4242', TTL: '60' })
  const hash = await call(clientOf('Maintenance'), 'HashKV', {})
  expect(hash).toMatchObject({ hash: 4_000_000_000, compact_revision: '-1' })
})

test('errors carry the code and the exact text', async () => {
  await expect(call(clientOf('KV'), 'Put', {})).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: 'etcdserver: key is not provided',
  })
  await expect(call(clientOf('Lease'), 'LeaseRevoke', { ID: 1 })).rejects.toMatchObject({
    code: grpc.status.NOT_FOUND,
    details: 'etcdserver: requested lease not found',
  })
})

test('an unknown service and an unknown method are UNIMPLEMENTED', async () => {
  const kv = clientOf('KV')
  const same = (bytes: Buffer): Buffer => bytes
  const refusal = (path: string): Promise<unknown> =>
    new Promise((resolve) => {
      kv.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error) => resolve(error))
    })
  expect(await refusal('/etcdserverpb.Nothing/Put')).toMatchObject({
    code: grpc.status.UNIMPLEMENTED,
    details: 'unknown service etcdserverpb.Nothing',
  })
  expect(await refusal('/etcdserverpb.KV/Nothing')).toMatchObject({
    code: grpc.status.UNIMPLEMENTED,
    details: 'unknown method Nothing for service etcdserverpb.KV',
  })
})

test('a bound of staleness in the metadata becomes part of the request', async () => {
  const metadata = new grpc.Metadata()
  metadata.set('max-staleness-ms', '250')
  await call(clientOf('KV'), 'Range', { key: Buffer.from('a') }, { metadata })
  expect(server.member.lastRange).toMatchObject({ key: Buffer.from('a'), maxStalenessMs: 250 })
  await call(clientOf('KV'), 'Range', { key: Buffer.from('a'), max_staleness_ms: 70 })
  expect(server.member.lastRange).toMatchObject({ maxStalenessMs: 70 })
})

test('messages of every size around the frame size go both ways', async () => {
  const kv = clientOf('KV')
  const sizes = [0, 1, 16_300, 16_384, 16_385, 65_535, 65_536, 300_000, 1_500_000]
  for (const size of sizes) {
    const value = Buffer.alloc(size, size % 251)
    await call(kv, 'Put', { key: Buffer.from('big'), value })
    const reply = await call(kv, 'Range', { key: Buffer.from('big') })
    const [pair] = reply['kvs'] as { value: Buffer }[]
    expect(pair?.value.equals(value), `${size} bytes`).toBe(true)
  }
})

test('many large calls at once on one connection all get their own answer', async () => {
  const kv = clientOf('KV')
  const values = Array.from({ length: 40 }, (_, i) => Buffer.alloc(200_000, i))
  await Promise.all(values.map((value, i) => call(kv, 'Put', { key: Buffer.from(`m${i}`), value })))
  const replies = await Promise.all(
    values.map((_, i) => call(kv, 'Range', { key: Buffer.from(`m${i}`) })),
  )
  for (const [i, reply] of replies.entries()) {
    const [pair] = reply['kvs'] as { value: Buffer }[]
    expect(pair?.value.equals(values[i] ?? Buffer.alloc(0))).toBe(true)
  }
})

test('a message past the limit is RESOURCE_EXHAUSTED and the connection goes on', async () => {
  const kv = clientOf('KV', { 'grpc.max_send_message_length': -1 })
  const value = Buffer.alloc(2_097_152)
  await expect(call(kv, 'Put', { key: Buffer.from('a'), value })).rejects.toMatchObject({
    code: grpc.status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(/received message larger than max \(\d+ vs\. 2097152\)/),
  })
  await call(kv, 'Put', { key: Buffer.from('a'), value: Buffer.from('1') })
})

test('a call past its deadline is answered by the server, and a late result harms nothing', async () => {
  const held: (() => void)[] = []
  server.member.hold = (run) => held.push(run)
  const client = new RawHttp2Client(server.url)
  client.start()
  const block = grpcRequestHeaders('/etcdserverpb.KV/Range', [['grpc-timeout', '60m']])
  client.write(frame(frameType.headers, frameFlag.endHeaders, 1, block))
  client.write(frame(frameType.data, frameFlag.endStream, 1, grpcMessage(new Uint8Array(0))))
  await waitFor(() => expect(client.headers(1).get('grpc-status')).toBe('4'))
  expect(client.headers(1).get('grpc-message')).toBe('context deadline exceeded')
  for (const run of held) run()
  server.member.hold = undefined
  client.request(3, '/etcdserverpb.KV/Range', Uint8Array.of(0x0a, 1, 97))
  await waitFor(() => expect(client.headers(3).get('grpc-status')).toBe('0'))
  client.close()
})

test('a canceled call is forgotten', async () => {
  const held: (() => void)[] = []
  server.member.hold = (run) => held.push(run)
  const kv = clientOf('KV')
  const unary = (kv as unknown as Record<string, Unary>)['Range']
  const canceled = new Promise<grpc.ServiceError | null>((resolve) => {
    const running = unary?.call(kv, { key: Buffer.from('a') }, new grpc.Metadata(), {}, resolve)
    void waitFor(() => expect(held).toHaveLength(1)).then(() => running?.cancel())
  })
  expect(await canceled).toMatchObject({ code: grpc.status.CANCELLED })
  for (const run of held) run()
  server.member.hold = undefined
  await call(kv, 'Range', { key: Buffer.from('a') })
})

test('a watch gets its events in order and ends when the client cancels', async () => {
  const watch = stream(clientOf('Watch'), 'Watch')
  const seen: Message[] = []
  watch.on('data', (message: Message) => seen.push(message))
  watch.on('error', () => watch.cancel())
  watch.write({ create_request: { key: Buffer.from('w'), range_end: Buffer.from('x') } })
  await waitFor(() => expect(seen).toMatchObject([{ created: true, watch_id: '0' }]))
  const kv = clientOf('KV')
  for (let i = 0; i < 50; i++)
    await call(kv, 'Put', { key: Buffer.from(`w${i}`), value: Buffer.alloc(0) })
  await waitFor(() => expect(seen).toHaveLength(51))
  const keys = seen.slice(1).map((message) => {
    const [event] = message['events'] as { kv: { key: Buffer } }[]
    return event?.kv.key.toString()
  })
  expect(keys).toEqual(Array.from({ length: 50 }, (_, i) => `w${i}`))
  watch.write({ progress_request: {} })
  await waitFor(() => expect(seen.at(-1)).toMatchObject({ watch_id: '-1' }))
  watch.write({ cancel_request: { watch_id: 0 } })
  await waitFor(() => expect(seen.at(-1)).toMatchObject({ canceled: true }))
  expect(server.member.openStreams).toBe(1)
  watch.cancel()
  await waitFor(() => expect(server.member.openStreams).toBe(0))
})

test('a watch whose client stops reading is told to wait, and to go on later', async () => {
  const client = new RawHttp2Client(server.url)
  client.start()
  client.write(
    frame(
      frameType.headers,
      frameFlag.endHeaders,
      1,
      grpcRequestHeaders('/etcdserverpb.Watch/Watch'),
    ),
  )
  client.write(frame(frameType.data, 0, 1, grpcMessage(Uint8Array.from([0x0a, 3, 0x0a, 1, 0x66]))))
  await waitFor(() => expect(client.of(frameType.data, 1)).toHaveLength(1))
  const before = server.member.resumed
  const kv = clientOf('KV')
  for (let i = 0; i < 3; i++) {
    await call(kv, 'Put', { key: Buffer.from('f'), value: Buffer.alloc(40_000) })
  }
  const received = (): number =>
    client.of(frameType.data, 1).reduce((sum, seen) => sum + seen.payload.length, 0)
  await waitFor(() => expect(received()).toBe(65_535))
  expect(server.member.resumed).toBe(before)
  client.write(frame(frameType.windowUpdate, 0, 1, uint32(1_000_000)))
  client.write(frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)))
  await waitFor(() => expect(received()).toBeGreaterThan(120_000))
  expect(server.member.resumed).toBeGreaterThan(before)
  client.close()
})

test('keep-alives are answered in the order they were sent, and the stream ends after the last', async () => {
  const lease = clientOf('Lease')
  for (const ID of [501, 502]) await call(lease, 'LeaseGrant', { TTL: ID, ID })
  const alive = stream(lease, 'LeaseKeepAlive')
  const seen: Message[] = []
  alive.on('data', (message: Message) => seen.push(message))
  const status = new Promise<grpc.StatusObject>((resolve) => alive.on('status', resolve))
  const ids = [501, 502, 999, 501, 502]
  for (const ID of ids) alive.write({ ID })
  alive.end()
  expect(await status).toMatchObject({ code: grpc.status.OK })
  expect(seen.map((message) => Number(message['ID']))).toEqual(ids)
  expect(seen.map((message) => Number(message['TTL']))).toEqual([501, 502, 0, 501, 502])
})

test('metadata hasleader fails fast where there is no leader, and ends streams', async () => {
  const metadata = new grpc.Metadata()
  metadata.set('hasleader', 'true')
  const kv = clientOf('KV')
  const watches = clientOf('Watch') as unknown as Record<
    string,
    (metadata: grpc.Metadata) => grpc.ClientDuplexStream<Message, Message>
  >
  const watch = watches['Watch']?.call(watches, metadata)
  const ended = new Promise<grpc.StatusObject>((resolve) => watch?.on('status', resolve))
  watch?.on('error', () => watch.cancel())
  watch?.write({ create_request: { key: Buffer.from('q') } })
  await waitFor(() => expect(server.member.openStreams).toBe(1))
  server.member.leaderId = 0n
  await expect(call(kv, 'Range', { key: Buffer.from('a') }, { metadata })).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: 'etcdserver: no leader',
  })
  await call(kv, 'Range', { key: Buffer.from('a') })
  expect(await ended).toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: 'etcdserver: no leader',
  })
})

const malformed: Record<string, [string, Buffer, string]> = {
  'bytes that are not the message': ['13', grpcMessage(Uint8Array.of(0xff)), 'malformed message'],
  'a message cut short': ['13', grpcMessage(Buffer.alloc(9)).subarray(0, 8), 'ends before'],
  'no message at all': ['13', Buffer.alloc(0), 'ends before'],
  'two messages': [
    '13',
    Buffer.concat([grpcMessage(Buffer.alloc(0)), grpcMessage(Buffer.alloc(0))]),
    'more than one',
  ],
  'a compressed message': ['12', Buffer.from([1, 0, 0, 0, 0]), 'compressed'],
}
for (const [what, [status, data, text]] of Object.entries(malformed)) {
  test(`a unary call with ${what} gets status ${status} and the connection goes on`, async () => {
    const client = new RawHttp2Client(server.url)
    client.start()
    client.write(
      frame(frameType.headers, frameFlag.endHeaders, 1, grpcRequestHeaders('/etcdserverpb.KV/Put')),
    )
    client.write(frame(frameType.data, frameFlag.endStream, 1, data))
    await waitFor(() => expect(client.headers(1).get('grpc-status')).toBe(status))
    expect(client.headers(1).get('grpc-message')).toContain(text)
    client.request(3, '/etcdserverpb.KV/Range', Uint8Array.of(0x0a, 1, 97))
    await waitFor(() => expect(client.headers(3).get('grpc-status')).toBe('0'))
    client.close()
  })
}

test('a compression that nobody has is UNIMPLEMENTED, a malformed timeout INTERNAL', async () => {
  const client = new RawHttp2Client(server.url)
  client.start()
  const send = (streamId: number, name: string, value: string): void => {
    const block = grpcRequestHeaders('/etcdserverpb.KV/Put', [[name, value]])
    client.write(frame(frameType.headers, frameFlag.endHeaders, streamId, block))
  }
  send(1, 'grpc-encoding', 'gzip')
  send(3, 'grpc-timeout', '5x')
  send(5, 'grpc-encoding', 'identity')
  client.write(
    frame(frameType.data, frameFlag.endStream, 5, grpcMessage(Uint8Array.of(0x0a, 1, 97))),
  )
  await waitFor(() => expect(client.headers(5).get('grpc-status')).toBe('0'))
  expect(client.headers(1).get('grpc-status')).toBe('12')
  expect(client.headers(1).get('grpc-message')).toContain('"gzip"')
  expect(client.headers(3).get('grpc-status')).toBe('13')
  expect(client.resetCode(1)).toBe(0)
  client.close()
})

test('the standard health service answers for the server as a whole', async () => {
  const client = new RawHttp2Client(server.url)
  client.start()
  client.request(1, '/grpc.health.v1.Health/Check', new Uint8Array(0))
  client.request(3, '/grpc.health.v1.Health/Check', Uint8Array.from([0x0a, 1, 0x78]))
  client.request(5, '/grpc.health.v1.Health/Watch', new Uint8Array(0))
  await waitFor(() => expect(client.of(frameType.data, 5)).toHaveLength(1))
  expect(client.of(frameType.data, 1)[0]?.payload.subarray(5)).toEqual(Buffer.from([8, 1]))
  expect(client.headers(3).get('grpc-status')).toBe('5')
  expect(client.headers(5).has('grpc-status')).toBe(false)
  client.close()
})

test('who watches the health of a server is told that it goes', async () => {
  const own = await openFakeListener()
  const client = new RawHttp2Client(own.url)
  client.start()
  client.request(1, '/grpc.health.v1.Health/Watch', new Uint8Array(0))
  client.request(3, '/grpc.health.v1.Health/Watch', Uint8Array.from([0x0a, 1, 0x78]))
  await waitFor(() => expect(client.of(frameType.data, 3)).toHaveLength(1))
  const closed = own.listener.close()
  await waitFor(() => expect(client.headers(1).get('grpc-status')).toBe('14'))
  const told = (stream: number): Buffer[] =>
    client.of(frameType.data, stream).map(({ payload }) => payload.subarray(5))
  expect(told(1)).toEqual([Buffer.from([8, 1]), Buffer.from([8, 2])])
  expect(told(3)).toEqual([Buffer.from([8, 3])])
  client.close()
  await closed
})

test('timeouts are read in every unit', () => {
  const texts = [
    '1H',
    '2M',
    '3S',
    '4m',
    '5000u',
    '6000000n',
    '',
    '1',
    'S',
    '123456789S',
    '-1S',
    '1s',
  ]
  const expected = [
    3_600_000,
    120_000,
    3000,
    4,
    5,
    6,
    ...Array.from({ length: 6 }, () => undefined),
  ]
  expect(texts.map(parseTimeoutMs).map((ms) => (ms === undefined ? ms : Math.round(ms)))).toEqual(
    expected,
  )
})

async function answerOf(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body?: Uint8Array,
): Promise<{ status: unknown; grpcStatus: unknown; body: Buffer }> {
  const request = session.request(headers)
  const chunks: Buffer[] = []
  let status: unknown
  let grpcStatusText: unknown
  request.on('response', (fields) => {
    status = fields[':status']
    grpcStatusText = fields['grpc-status']
  })
  request.on('trailers', (fields) => {
    grpcStatusText = fields['grpc-status']
  })
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.end(body)
  await new Promise<void>((resolve) => request.once('close', resolve))
  return { status, grpcStatus: grpcStatusText, body: Buffer.concat(chunks) }
}

test('the HTTP/2 client of Node gets calls answered and others refused by HTTP status', async () => {
  const session = connectHttp2(server.url)
  const path = '/etcdserverpb.KV/Put'
  const post = { ':method': 'POST', ':path': path, te: 'trailers' }
  const body = encodePutRequest({
    key: Buffer.from('node'),
    value: Buffer.alloc(50_000),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  })
  const good = { ...post, 'content-type': 'application/grpc+proto' }
  for (let i = 0; i < 3; i++) {
    const answer = await answerOf(session, good, grpcMessage(body))
    expect([answer.status, answer.grpcStatus]).toEqual([200, '0'])
    expect(answer.body.readUInt32BE(1)).toBe(answer.body.length - 5)
  }
  const text = await answerOf(session, { ...post, 'content-type': 'text/plain' }, grpcMessage(body))
  expect(text.status).toBe(415)
  const get = await answerOf(session, { ':method': 'GET', ':path': '/health' })
  expect(get.status).toBe(405)
  session.close()
})
