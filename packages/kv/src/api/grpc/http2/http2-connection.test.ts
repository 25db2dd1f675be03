import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { decodePutResponse, encodePutRequest } from '../../../proto/index.ts'
import { openFakeListener } from '../../testing/fake-listener.ts'
import type { FakeListener } from '../../testing/fake-listener.ts'
import {
  frame,
  grpcMessage,
  grpcRequestHeaders,
  RawHttp2Client,
  uint32,
} from '../../testing/raw-http2-client.ts'
import { frameFlag, frameType, http2ErrorCode, setting } from './http2-protocol.ts'
import { waitFor } from '../../testing/wait-for.ts'

const putPath = '/etcdserverpb.KV/Put'
const end = frameFlag.endStream
const endHeaders = frameFlag.endHeaders
const nothing = new Uint8Array(0)
let server: FakeListener
let clients: RawHttp2Client[] = []

beforeAll(async () => {
  server = await openFakeListener()
})
afterAll(() => server.listener.close())
afterEach(() => {
  for (const client of clients) client.close()
  clients = []
})

function connectRaw(settings?: readonly (readonly [number, number])[]): RawHttp2Client {
  const client = new RawHttp2Client(server.url)
  clients.push(client)
  client.start(settings)
  return client
}

function putBody(value = 'v', key = 'k'): Uint8Array {
  return encodePutRequest({
    key: Buffer.from(key),
    value: Buffer.from(value),
    lease: 0n,
    prevKv: true,
    ignoreValue: false,
    ignoreLease: false,
  })
}

async function expectOk(client: RawHttp2Client, streamId: number): Promise<void> {
  await waitFor(() => expect(client.headers(streamId).get('grpc-status')).toBe('0'))
}

/** The connection that misbehaved is told why, and the next one is served. */
async function expectGoAway(client: RawHttp2Client, code: number): Promise<void> {
  await waitFor(() => expect(client.goAwayCode()).toBe(code))
  await waitFor(() => expect(client.isClosed).toBe(true))
  const next = connectRaw()
  next.request(1, putPath, putBody())
  await expectOk(next, 1)
}

test('a unary call is answered with headers, one message and trailers', async () => {
  const client = connectRaw()
  client.request(1, putPath, putBody())
  await expectOk(client, 1)
  const headers = client.headers(1)
  expect([headers.get(':status'), headers.get('content-type')]).toEqual(['200', 'application/grpc'])
  const data = client.of(frameType.data, 1)[0]?.payload ?? Buffer.alloc(0)
  expect(decodePutResponse(data.subarray(5)).header.memberId).toBe(7n)
  expect(client.of(frameType.headers, 1).at(-1)?.flags).toBe(endHeaders | end)
  expect(client.of(frameType.rstStream, 1)).toEqual([])
})

test('SETTINGS are acknowledged, and ours say that the header table is empty', async () => {
  const client = connectRaw([[setting.initialWindowSize, 100_000]])
  await waitFor(() => expect(client.of(frameType.settings, 0)).toHaveLength(2))
  const [ours, ack] = client.of(frameType.settings, 0)
  expect(ours?.payload.subarray(0, 6)).toEqual(Buffer.from([0, 1, 0, 0, 0, 0]))
  expect([ack?.flags, ack?.payload.length]).toEqual([frameFlag.ack, 0])
})

test('a request in single bytes, padded, prioritized and continued is understood', async () => {
  const client = connectRaw()
  const block = grpcRequestHeaders(putPath)
  const priority = Buffer.from([0, 0, 0, 0, 16])
  const padding = Buffer.alloc(7)
  const first = Buffer.concat([Buffer.from([7]), priority, block.subarray(0, 10), padding])
  const message = grpcMessage(putBody())
  const bytes = Buffer.concat([
    frame(frameType.headers, frameFlag.padded | frameFlag.priority, 1, first),
    frame(frameType.continuation, 0, 1, block.subarray(10, 20)),
    frame(frameType.continuation, endHeaders, 1, block.subarray(20)),
    frame(frameType.priority, 0, 9, Buffer.from([0, 0, 0, 1, 5])),
    frame(frameType.data, 0, 1, message.subarray(0, 3)),
    frame(0x77, 0xff, 1, Buffer.from('an unknown frame')),
    frame(
      frameType.data,
      frameFlag.padded,
      1,
      Buffer.concat([Buffer.from([2]), message.subarray(3), Buffer.alloc(2)]),
    ),
    frame(frameType.data, end, 1, nothing),
  ])
  for (const byte of bytes) client.write(Uint8Array.of(byte))
  await expectOk(client, 1)
})

test('trailers of the client end its request', async () => {
  const client = connectRaw()
  client.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
  client.write(frame(frameType.data, 0, 1, grpcMessage(putBody())))
  client.write(frame(frameType.headers, endHeaders | end, 1, Buffer.from([0, 1, 0x61, 1, 0x62])))
  await expectOk(client, 1)
})

test('PING is answered with its own bytes', async () => {
  const client = connectRaw()
  client.write(frame(frameType.ping, 0, 0, Buffer.from('12345678')))
  await waitFor(() => expect(client.of(frameType.ping, 0)).toHaveLength(1))
  expect(client.of(frameType.ping, 0)[0]?.payload.toString()).toBe('12345678')
})

test('an answer keeps to the window of its stream and goes on when it grows', async () => {
  const value = 'x'.repeat(100_000)
  const client = connectRaw([[setting.initialWindowSize, 1000]])
  client.request(1, putPath, putBody(value, 'big'))
  await expectOk(client, 1)
  client.request(3, putPath, putBody('', 'big'))
  const received = (): number =>
    client.of(frameType.data, 3).reduce((sum, seen) => sum + seen.payload.length, 0)
  await waitFor(() => expect(received()).toBe(1000))
  client.write(frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0x0b, 0xb8])))
  await waitFor(() => expect(received()).toBe(3000))
  client.write(frame(frameType.windowUpdate, 0, 3, uint32(1_000_000)))
  const before = client.of(frameType.data, 1)[0]?.payload.length ?? 0
  await waitFor(() => expect(received()).toBe(65_535 - before))
  expect(client.headers(3).has('grpc-status')).toBe(false)
  client.write(frame(frameType.windowUpdate, 0, 0, uint32(1_000_000)))
  await expectOk(client, 3)
  const sizes = client.of(frameType.data, 3).map((seen) => seen.payload.length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384)
  const body = Buffer.concat(client.of(frameType.data, 3).map((seen) => seen.payload))
  expect(body.readUInt32BE(1)).toBe(body.length - 5)
  expect(decodePutResponse(body.subarray(5)).prevKv?.length).toBeGreaterThan(100_000)
})

test('a window made smaller than what was sent goes below zero and stays correct', async () => {
  const client = connectRaw([[setting.initialWindowSize, 5000]])
  client.request(1, putPath, putBody('y'.repeat(20_000), 'shrink'))
  await expectOk(client, 1)
  client.request(3, putPath, putBody('', 'shrink'))
  const received = (): number =>
    client.of(frameType.data, 3).reduce((sum, seen) => sum + seen.payload.length, 0)
  await waitFor(() => expect(received()).toBe(5000))
  client.write(frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])))
  client.write(frame(frameType.windowUpdate, 0, 3, uint32(4000)))
  client.write(frame(frameType.windowUpdate, 0, 3, uint32(1001)))
  await waitFor(() => expect(received()).toBe(5001))
  client.write(frame(frameType.windowUpdate, 0, 3, uint32(100_000)))
  await expectOk(client, 3)
})

test('uploads get window updates, however much is sent on one connection', async () => {
  const client = connectRaw()
  const value = 'z'.repeat(1_000_000)
  for (let i = 0; i < 12; i++) client.request(1 + 2 * i, putPath, putBody(value, `up${i}`))
  await expectOk(client, 23)
  expect(client.of(frameType.windowUpdate, 0).length).toBeGreaterThan(1)
})

const brokenRules: Record<string, [number, (client: RawHttp2Client) => void]> = {
  'a frame larger than allowed': [
    http2ErrorCode.frameSizeError,
    (c) => c.write(frame(frameType.data, 0, 1, Buffer.alloc(16_385))),
  ],
  'DATA on stream 0': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.data, 0, 0, nothing)),
  ],
  'DATA on an idle stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.data, 0, 5, nothing)),
  ],
  'HEADERS on an even stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.headers, endHeaders, 2, grpcRequestHeaders(putPath))),
  ],
  'a header block that cannot be decoded': [
    http2ErrorCode.compressionError,
    (c) => c.write(frame(frameType.headers, endHeaders, 1, Buffer.from([0xff]))),
  ],
  'another frame inside a header block': [
    http2ErrorCode.protocolError,
    (c) => {
      c.write(frame(frameType.headers, 0, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)))
    },
  ],
  'CONTINUATION without HEADERS': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.continuation, endHeaders, 1, nothing)),
  ],
  'CONTINUATION of another stream': [
    http2ErrorCode.protocolError,
    (c) => {
      c.write(frame(frameType.headers, 0, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.continuation, endHeaders, 3, nothing))
    },
  ],
  'a header block without end': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      c.write(frame(frameType.headers, 0, 1, Buffer.alloc(10_000)))
      for (let i = 0; i < 4; i++) c.write(frame(frameType.continuation, 0, 1, Buffer.alloc(9000)))
    },
  ],
  'padding longer than the frame': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.headers, endHeaders | frameFlag.padded, 1, Buffer.from([9, 1]))),
  ],
  'SETTINGS on a stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.settings, 0, 1, nothing)),
  ],
  'SETTINGS of a wrong length': [
    http2ErrorCode.frameSizeError,
    (c) => c.write(frame(frameType.settings, 0, 0, Buffer.alloc(5))),
  ],
  'an acknowledgement with content': [
    http2ErrorCode.frameSizeError,
    (c) => c.write(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(6))),
  ],
  'an initial window past 2^31-1': [
    http2ErrorCode.flowControlError,
    (c) => c.write(frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0x80, 0, 0, 0]))),
  ],
  'a frame size below 16384': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.settings, 0, 0, Buffer.from([0, 5, 0, 0, 0x3f, 0xff]))),
  ],
  'ENABLE_PUSH of 2': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.settings, 0, 0, Buffer.from([0, 2, 0, 0, 0, 2]))),
  ],
  'PING of a wrong length': [
    http2ErrorCode.frameSizeError,
    (c) => c.write(frame(frameType.ping, 0, 0, Buffer.alloc(7))),
  ],
  'PING on a stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.ping, 0, 1, Buffer.alloc(8))),
  ],
  'RST_STREAM of an idle stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.rstStream, 0, 1, Buffer.alloc(4))),
  ],
  'RST_STREAM of a wrong length': [
    http2ErrorCode.frameSizeError,
    (c) => c.write(frame(frameType.rstStream, 0, 1, Buffer.alloc(3))),
  ],
  'a window update of 0 for the connection': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.windowUpdate, 0, 0, uint32(0))),
  ],
  'a connection window past 2^31-1': [
    http2ErrorCode.flowControlError,
    (c) => c.write(frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_ffff))),
  ],
  'a window update of an idle stream': [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.windowUpdate, 0, 1, uint32(1))),
  ],
  PUSH_PROMISE: [
    http2ErrorCode.protocolError,
    (c) => c.write(frame(frameType.pushPromise, endHeaders, 1, Buffer.alloc(4))),
  ],
  'a flood of pings': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8))
      c.write(Buffer.concat(Array.from({ length: 30_000 }, () => ping)))
    },
  ],
  'a flood of settings': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      const settings = frame(frameType.settings, 0, 0, nothing)
      c.write(Buffer.concat(Array.from({ length: 30_000 }, () => settings)))
    },
  ],
  'a flood of requests that are reset at once': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      const block = grpcRequestHeaders(putPath)
      const pairs = Array.from({ length: 30_000 }, (_, i) => [
        frame(frameType.headers, endHeaders, 1 + 2 * i, block),
        frame(frameType.rstStream, 0, 1 + 2 * i, uint32(http2ErrorCode.cancel)),
      ])
      c.write(Buffer.concat(pairs.flat()))
    },
  ],
  'a flood of empty DATA': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      c.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
      const empty = frame(frameType.data, 0, 1, nothing)
      c.write(Buffer.concat(Array.from({ length: 30_000 }, () => empty)))
    },
  ],
}
for (const [rule, [code, breakIt]] of Object.entries(brokenRules)) {
  test(`the connection ends with the right code after ${rule}`, async () => {
    const client = connectRaw()
    breakIt(client)
    await expectGoAway(client, code)
  })
}

test('a first frame that is not SETTINGS ends the connection', async () => {
  const client = new RawHttp2Client(server.url)
  clients.push(client)
  client.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
  client.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)))
  await expectGoAway(client, http2ErrorCode.protocolError)
})

test('a preface that ends wrong ends the connection', async () => {
  const client = new RawHttp2Client(server.url)
  clients.push(client)
  client.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'))
  await expectGoAway(client, http2ErrorCode.protocolError)
})

const brokenStreams: Record<string, [number, (client: RawHttp2Client) => void]> = {
  'a window update of 0': [
    http2ErrorCode.protocolError,
    (c) => {
      c.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.windowUpdate, 0, 1, uint32(0)))
    },
  ],
  'a window past 2^31-1': [
    http2ErrorCode.flowControlError,
    (c) => {
      c.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.windowUpdate, 0, 1, uint32(0x7fff_ffff)))
    },
  ],
  'trailers that do not end the stream': [
    http2ErrorCode.protocolError,
    (c) => {
      c.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.headers, endHeaders, 1, grpcRequestHeaders(putPath)))
    },
  ],
  'DATA after the end': [
    http2ErrorCode.streamClosed,
    (c) => {
      c.write(frame(frameType.headers, endHeaders | end, 1, grpcRequestHeaders(putPath)))
      c.write(frame(frameType.data, 0, 1, Buffer.alloc(1)))
    },
  ],
  'a header name in capitals': [
    http2ErrorCode.protocolError,
    (c) => {
      const block = grpcRequestHeaders(putPath, [['Bad', 'x']])
      c.write(frame(frameType.headers, endHeaders, 1, block))
    },
  ],
  'a connection header': [
    http2ErrorCode.protocolError,
    (c) => {
      const block = grpcRequestHeaders(putPath, [['connection', 'close']])
      c.write(frame(frameType.headers, endHeaders, 1, block))
    },
  ],
  'a pseudo header after the others': [
    http2ErrorCode.protocolError,
    (c) => {
      const block = grpcRequestHeaders(putPath, [[':scheme', 'http']])
      c.write(frame(frameType.headers, endHeaders, 1, block))
    },
  ],
  'too many header bytes': [
    http2ErrorCode.enhanceYourCalm,
    (c) => {
      const block = grpcRequestHeaders(putPath, [
        ['a', 'x'.repeat(10_000)],
        ['b', 'x'.repeat(6_500)],
      ])
      c.write(frame(frameType.headers, 0, 1, block.subarray(0, 9000)))
      c.write(frame(frameType.continuation, endHeaders, 1, block.subarray(9000)))
    },
  ],
}
for (const [rule, [code, breakIt]] of Object.entries(brokenStreams)) {
  test(`only the stream ends after ${rule}`, async () => {
    const client = connectRaw()
    breakIt(client)
    await waitFor(() => expect(client.resetCode(1)).toBe(code))
    client.request(3, putPath, putBody())
    await expectOk(client, 3)
    expect(client.goAwayCode()).toBeUndefined()
  })
}

test('streams past the limit are refused and the others go on', async () => {
  const client = connectRaw()
  const block = grpcRequestHeaders('/etcdserverpb.Watch/Watch')
  const opens = Array.from({ length: 10_001 }, (_, i) =>
    frame(frameType.headers, endHeaders, 1 + 2 * i, block),
  )
  client.write(Buffer.concat(opens))
  const last = 1 + 2 * 10_000
  await waitFor(() => expect(client.resetCode(last)).toBe(http2ErrorCode.refusedStream))
  expect(server.member.openStreams).toBe(10_000)
  client.write(frame(frameType.rstStream, 0, 1, uint32(http2ErrorCode.cancel)))
  client.request(last + 2, putPath, putBody())
  await expectOk(client, last + 2)
  client.close()
  await waitFor(() => expect(server.member.openStreams).toBe(0))
})

test('a client that pings and resets as often as it is answered is an honest one', async () => {
  const client = connectRaw()
  client.write(frame(frameType.windowUpdate, 0, 0, uint32(0x7000_0000)))
  const rounds = 15_000
  const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8))
  for (let i = 0; i < rounds; i += 1000) {
    for (let j = i; j < i + 1000; j++) {
      client.request(1 + 2 * j, putPath, putBody())
      client.write(ping)
    }
    await expectOk(client, 1 + 2 * (i + 999))
    const resets = Array.from({ length: 1000 }, (_, j) =>
      frame(frameType.rstStream, 0, 1 + 2 * (i + j), uint32(http2ErrorCode.cancel)),
    )
    client.write(Buffer.concat(resets))
    client.frames.length = 0
  }
  client.request(1 + 2 * rounds, putPath, putBody())
  await expectOk(client, 1 + 2 * rounds)
  expect(client.goAwayCode()).toBeUndefined()
})

test('random frames never harm the server', async () => {
  const seed = Number(process.env['SEED'] ?? 77)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const randomFrame = (): Buffer => {
    const payload = Buffer.from(Array.from({ length: random(40) }, () => random(256)))
    const streamId = random(4) === 0 ? 0 : random(12)
    const type = random(11)
    if (type === frameType.headers && random(2) === 0) {
      return frame(type, endHeaders | random(2), streamId | 1, grpcRequestHeaders(putPath))
    }
    if (type === frameType.data && random(2) === 0) {
      return frame(type, random(2), streamId, grpcMessage(putBody()))
    }
    return frame(type, random(256), streamId, payload)
  }
  for (let round = 0; round < 300; round++) {
    const client = connectRaw()
    const bytes = Buffer.concat(Array.from({ length: 1 + random(30) }, randomFrame))
    client.write(bytes.subarray(0, random(bytes.length + 1)))
    if (random(3) === 0) client.close()
  }
  const client = connectRaw()
  client.request(1, putPath, putBody())
  await expectOk(client, 1)
  expect(server.member.openStreams, `seed ${seed}`).toBe(0)
})

test('a client that does not read gets no more than the socket takes, and all of it in the end', async () => {
  const client = connectRaw([[setting.initialWindowSize, 0x7fff_ffff]])
  client.write(frame(frameType.windowUpdate, 0, 0, uint32(0x7000_0000)))
  client.request(1, putPath, putBody('w'.repeat(15_000), 'slow'))
  await expectOk(client, 1)
  client.pause()
  const count = 1000
  for (let i = 1; i <= count; i++)
    client.request(1 + 2 * i, putPath, putBody('w'.repeat(15_000), 'slow'))
  const received = (): number => client.frames.filter((seen) => seen.type === frameType.data).length
  expect(received()).toBeLessThan(count)
  client.resume()
  await waitFor(() => expect(received()).toBeGreaterThan(count))
  await expectOk(client, 1 + 2 * count)
})

test('on close a waiting call is answered first, and new streams are refused', async () => {
  const own = await openFakeListener()
  const client = new RawHttp2Client(own.url)
  clients.push(client)
  client.start()
  const held: (() => void)[] = []
  own.member.hold = (run) => held.push(run)
  client.request(1, putPath, putBody())
  client.write(
    frame(frameType.headers, endHeaders, 3, grpcRequestHeaders('/etcdserverpb.Watch/Watch')),
  )
  await waitFor(() => expect([held.length, own.member.openStreams]).toEqual([1, 1]))
  const closing = own.listener.close()
  await waitFor(() => expect(client.goAwayCode()).toBe(http2ErrorCode.noError))
  expect(client.headers(3).get('grpc-status')).toBe('14')
  client.request(5, putPath, putBody())
  await waitFor(() => expect(client.resetCode(5)).toBe(http2ErrorCode.refusedStream))
  for (const run of held) run()
  await expectOk(client, 1)
  await closing
  await waitFor(() => expect(client.isClosed).toBe(true))
})
