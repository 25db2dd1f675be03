// Goal: whatever bytes arrive, a member spends a bounded amount of memory on them and goes on serving its peers. Method: raw sockets and
// clients that do what no member does.
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { NodeId } from '../core/types.ts'
import { waitFor } from '../node/testing/test-members.ts'
import { encodeFrame } from './encode-frame.ts'
import { handshakeHeaders, messagesPath, snapshotPath } from './handshake.ts'
import { laneLimits, type Lane } from './lanes.ts'
import { incomingConnectionsMax } from './peer-listener.ts'
import { chunkFrameSizeBytesMax } from './snapshot-frames.ts'
import { TestProxy } from './testing/test-proxy.ts'
import { a, append, b, closeTransports, heartbeat, start } from './testing/transports.ts'

const sockets: (Socket | WebSocket)[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    if (socket instanceof WebSocket) socket.terminate()
    else socket.destroy()
  }
  await closeTransports()
})

interface Opened {
  readonly socket: WebSocket
  /** 101, or the status of the refusal. */
  readonly status: number
  readonly closed: Promise<number>
}

function open(url: string, from: NodeId, lane: Lane | 'snapshot' | 'both'): Promise<Opened> {
  const path = lane === 'snapshot' ? snapshotPath : messagesPath
  const named = lane === 'control' || lane === 'bulk' ? lane : undefined
  const headers = handshakeHeaders({ id: from, clusterId: 'c' }, b, named)
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers })
  sockets.push(socket)
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve)
  })
  return new Promise((resolve) => {
    socket.on('open', () => {
      resolve({ socket, status: 101, closed })
    })
    socket.on('error', () => {})
    socket.on('unexpected-response', (_request, response) => {
      resolve({ socket, status: response.statusCode ?? 0, closed })
    })
  })
}

function raw(url: string): { readonly socket: Socket; readonly ended: Promise<string> } {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (data) => {
    text += data.toString('latin1')
  })
  socket.on('error', () => {})
  const ended = new Promise<string>((resolve) => {
    socket.on('close', () => {
      resolve(text)
    })
  })
  return { socket, ended }
}

/** The connection of a real peer, as it would be seen on the wire. */
async function rawPeer(url: string, lane: Lane): Promise<ReturnType<typeof raw>> {
  const { socket, ended } = raw(url)
  const headers = {
    ...handshakeHeaders({ id: a, clusterId: 'c' }, b, lane),
    host: 'b',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${messagesPath} HTTP/1.1\r\n${lines.join('')}\r\n`)
  await new Promise((resolve) => {
    socket.once('data', resolve)
  })
  return { socket, ended }
}

/** The member still serves who behaves. */
async function expectServed(url: string, messages: readonly unknown[]): Promise<void> {
  const before = messages.length
  const { socket } = await open(url, 'well' as NodeId, 'control')
  socket.send(encodeFrame([heartbeat(1)], 2))
  await waitFor(() => messages.length > before)
}

test(`${incomingConnectionsMax} connections are served, one more is refused`, async () => {
  const { url } = await start(b)
  for (let i = 0; i < incomingConnectionsMax; i++) {
    expect((await open(url, `n${i}` as NodeId, 'snapshot')).status).toBe(101)
  }
  expect((await open(url, 'one-more' as NodeId, 'control')).status).toBe(503)
  expect((await open(url, 'n0' as NodeId, 'snapshot')).status).toBe(101)
})

test('a peer has one connection of each kind: a new one takes the place of the old', async () => {
  const { url } = await start(b)
  for (const lane of ['control', 'bulk', 'both', 'snapshot'] as const) {
    const old = await open(url, a, lane)
    await open(url, a, lane)
    expect(await old.closed, lane).toBe(1006)
  }
})

test.each([
  ['control', laneLimits.control.frameSizeBytesMax],
  ['bulk', laneLimits.bulk.frameSizeBytesMax],
  ['snapshot', chunkFrameSizeBytesMax],
] as const)('a frame of the %s connection that is too large closes it', async (lane, sizeMax) => {
  const { url, recorder } = await start(b)
  recorder.snapshot = () => new Promise(() => {})
  const { socket, closed } = await open(url, a, lane)
  socket.send(Buffer.alloc(sizeMax + 1))
  expect(await closed).toBe(1009)
  if (lane !== 'snapshot') expect(recorder.refusals[0]?.message).toContain('too large')
  await expectServed(url, recorder.messages)
})

test('a frame that only claims to be huge closes the connection at its first bytes', async () => {
  const { url, recorder } = await start(b)
  const { socket, ended } = await rawPeer(url, 'bulk')
  socket.write(Buffer.from('82ff000001000000000000000000', 'hex'))
  await ended
  expect(recorder.refusals[0]?.message).toContain('too large')
  await expectServed(url, recorder.messages)
})

test('large frames of the bulk lane arrive, and not on the control lane', async () => {
  const { url, recorder } = await start(b)
  const frame = encodeFrame([append(1, 1_000_000)], 2)
  const bulk = await open(url, a, 'bulk')
  bulk.socket.send(frame)
  await waitFor(() => recorder.messages.length === 1)
  const control = await open(url, a, 'control')
  control.socket.send(frame)
  expect(await control.closed).toBe(1009)
})

test.each([
  ['bytes that are no HTTP', Buffer.from('\x16\x03\x01 nonsense \r\n\r\n', 'latin1')],
  ['headers without end', Buffer.from(`GET / HTTP/1.1\r\nx: ${'y'.repeat(70_000)}`)],
  [
    'another path',
    Buffer.from(
      'GET /etc/passwd HTTP/1.1\r\nhost: b\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    ),
  ],
])('%s end their connection and nothing else', async (_name, bytes) => {
  const { url, recorder } = await start(b)
  const { socket, ended } = raw(url)
  socket.write(bytes)
  expect(await ended).toMatch(/^HTTP\/1.1 4\d\d /)
  await expectServed(url, recorder.messages)
})

test('who does not say what it wants is cut off', async () => {
  const { url } = await start(b)
  const silent = raw(url)
  const slow = raw(url)
  slow.socket.write('GET /raft/messages HTTP/1.1\r\n')
  const timer = setInterval(() => slow.socket.write('x: y\r\n'), 200)
  await Promise.all([silent.ended, slow.ended])
  clearInterval(timer)
})

test('who asks without taking the answers is cut off', async () => {
  const { url, recorder } = await start(b)
  const { socket, ended } = await rawPeer(url, 'control')
  socket.pause()
  const ping = Buffer.concat([Buffer.from('89fd00000000', 'hex'), Buffer.alloc(125)])
  const flood = Buffer.concat(Array.from({ length: 1000 }, () => ping))
  let isEnded = false
  socket.on('close', () => {
    isEnded = true
  })
  const pour = (): void => {
    if (!isEnded) socket.write(flood, () => setImmediate(pour))
  }
  pour()
  await ended
  await expectServed(url, recorder.messages)
})

test('a peer that falls silent is cut off by the side that listens', async () => {
  const { url } = await start(b, { silenceMsMax: 50 })
  const { ended } = await rawPeer(url, 'bulk')
  await ended
})

test('a connection whose other end is gone without a word is replaced, on both lanes', async () => {
  const receiver = await start(b)
  const proxy = await TestProxy.before(Number(new URL(receiver.url).port))
  const sender = await start(a, { silenceMsMax: 200 })
  sender.transport.setPeers(new Map([[b, proxy.url]]))
  await waitFor(() => proxy.opened.control === 1 && proxy.opened.bulk === 1)
  proxy.stall('control')
  proxy.stall('bulk')
  await waitFor(() => proxy.opened.control > 1)
  await waitFor(() => sender.recorder.unreachables.length >= 2)
  proxy.flow('control')
  proxy.flow('bulk')
  await waitFor(() => {
    sender.transport.send([heartbeat(1), append(1, 10)])
    const types = new Set(receiver.recorder.messages.map(({ type }) => type))
    return types.size === 2
  })
  await proxy.close()
})
