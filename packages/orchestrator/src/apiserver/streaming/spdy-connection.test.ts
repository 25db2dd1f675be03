import { once } from 'node:events'
import type { Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { SpdyConnection, spdyStreamsMax, type SpdyStream } from './spdy-connection.ts'
import { spdyDictionary, spdyDictionaryId } from './spdy-dictionary.ts'
import {
  controlBytesMax,
  encodeDataHead,
  encodePing,
  encodeRstStream,
  SpdyFrameReader,
  type SpdyFrame,
} from './spdy-frames.ts'
import { HeaderInflater, headerBlockBytesMax } from './spdy-headers.ts'
import { controlFrame, HeaderPacker, pair, synStream } from './testing/spdy-client.ts'

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const randomFrom = (start: number): (() => number) => {
  let state = start
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const data = (id: number, content: string, isFinal = false): Buffer =>
  Buffer.concat([encodeDataHead(id, Buffer.byteLength(content), isFinal), Buffer.from(content)])

const opened = async (): Promise<{
  client: Socket
  streams: SpdyStream[]
  connection: SpdyConnection
  next(): Promise<SpdyStream>
}> => {
  const [server, client] = await pair()
  const streams: SpdyStream[] = []
  let told = (): void => undefined
  const connection = new SpdyConnection(server, (stream) => {
    streams.push(stream)
    told()
  })
  let taken = 0
  const next = async (): Promise<SpdyStream> => {
    while (streams.length <= taken) await new Promise<void>((resolve) => (told = resolve))
    return streams[taken++] as SpdyStream
  }
  return { client, streams, connection, next }
}

/** All frames the server sends until it ends. */
const framesOf = async (client: Socket): Promise<SpdyFrame[]> => [
  ...new SpdyFrameReader().read(await buffer(client)),
]

test('the dictionary is the one that zlib knows by its checksum', () => {
  let [low, high] = [1, 0]
  for (const byte of spdyDictionary) {
    low = (low + byte) % 65521
    high = (high + low) % 65521
  }
  expect([spdyDictionary.length, high * 65536 + low]).toEqual([1423, spdyDictionaryId])
})

test(`frames are the same however their bytes are cut (SEED=${seed})`, () => {
  const random = randomFrom(seed)
  const bytes = Buffer.concat([
    synStream(1, Buffer.from('block'), true),
    data(1, 'x'.repeat(5000)),
    data(3, ''),
    data(3, 'end', true),
    encodePing(7),
    encodeRstStream(1, 5),
    controlFrame(7, Buffer.alloc(8)),
    controlFrame(4, Buffer.alloc(12)),
    controlFrame(8, Buffer.from('\0\0\0\x01more')),
  ])
  const joined = (frames: Iterable<SpdyFrame>): unknown[] => {
    const all: { type: string; id?: number; isFinal?: boolean; text: string }[] = []
    for (const frame of frames) {
      const last = all.at(-1)
      const content = 'bytes' in frame ? frame.bytes : 'block' in frame ? frame.block : ''
      const isMore = frame.type === 'data' && last?.type === 'data' && last.id === frame.id
      if (isMore && last.isFinal !== true && last.text !== '') {
        last.text += content.toString()
        last.isFinal = frame.isFinal
      } else {
        all.push({ ...frame, text: content.toString() })
      }
    }
    return all.map(({ type, id, isFinal, text: content }) => [type, id, isFinal, content])
  }
  const whole = joined(new SpdyFrameReader().read(bytes))
  expect(whole).toHaveLength(8)
  for (let round = 0; round < 50; round++) {
    const reader = new SpdyFrameReader()
    const frames: SpdyFrame[] = []
    for (let start = 0; start < bytes.length;) {
      const end = start + 1 + Math.floor(random() * 40)
      frames.push(...reader.read(bytes.subarray(start, end)))
      start = end
    }
    expect(joined(frames)).toEqual(whole)
  }
})

test('a control frame is held up to its limit and refused beyond', () => {
  const read = (size: number): number =>
    [...new SpdyFrameReader().read(controlFrame(9, Buffer.alloc(size)))].length
  expect(read(controlBytesMax)).toBe(0)
  expect(() => read(controlBytesMax + 1)).toThrow('too long')
  const cutOff = controlFrame(3, Buffer.alloc(4))
  expect(() => [...new SpdyFrameReader().read(cutOff)]).toThrow('cut off')
  const version2 = Buffer.from([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1])
  expect(() => [...new SpdyFrameReader().read(version2)]).toThrow('version')
})

test('header blocks unpack one after the other, up to their limit', async () => {
  const packer = new HeaderPacker()
  const inflater = new HeaderInflater()
  for (const headers of [{ StreamType: 'error' }, { streamtype: 'stdin', port: '80' }, {}]) {
    const unpacked = await inflater.inflate(await packer.pack(headers))
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
    expect([...unpacked]).toEqual(lower)
  }
  const long = { a: 'x'.repeat(headerBlockBytesMax - 13) }
  expect((await inflater.inflate(await packer.pack(long))).get('a')).toBe(long.a)
  const bomb = await packer.packBytes(Buffer.alloc(50_000_000))
  await expect(inflater.inflate(bomb)).rejects.toThrow('too long')
  const damaged = new HeaderInflater()
  await expect(damaged.inflate(Buffer.from('nonsense'))).rejects.toThrow('damaged')
  damaged.close()
})

test('streams carry data both ways, each ends by itself, and pings come back', async () => {
  const { client, connection, next } = await opened()
  const packer = new HeaderPacker()
  client.write(synStream(1, await packer.pack({ streamtype: 'stdin' })))
  client.write(synStream(3, await packer.pack({ streamtype: 'stdout' })))
  const [first, second] = [await next(), await next()]
  expect(second.headers.get('streamtype')).toBe('stdout')
  client.write(data(1, 'hello '))
  client.write(data(1, 'world', true))
  expect(await text(first)).toBe('hello world')
  client.write(encodePing(9))
  second.end('answer')
  first.end()
  await once(second, 'finish')
  connection.end()
  client.write(controlFrame(7, Buffer.alloc(8)))
  client.end()
  const frames = await framesOf(client)
  const inflater = new HeaderInflater()
  const replies = frames.filter(({ type }) => type === 'headers')
  for (const reply of replies) {
    if (reply.type === 'headers') expect((await inflater.inflate(reply.block)).size).toBe(0)
  }
  inflater.close()
  expect(replies).toHaveLength(2)
  expect(frames).toContainEqual({ type: 'ping', id: 9 })
  expect(frames).toContainEqual(
    expect.objectContaining({ type: 'data', id: 3, bytes: Buffer.from('answer') }),
  )
})

test('a stream too many, or one that was there, is refused and the others go on', async () => {
  const { client, streams, next } = await opened()
  const packer = new HeaderPacker()
  for (let index = 0; index <= spdyStreamsMax; index++) {
    client.write(synStream(index * 2 + 1, await packer.pack({ index: String(index) })))
  }
  client.write(synStream(1, await packer.pack({})))
  client.write(data(1, 'still here', true))
  expect(await text(await next())).toBe('still here')
  expect(streams).toHaveLength(spdyStreamsMax)
  client.end()
  const refused = (await framesOf(client)).filter(({ type }) => type === 'rstStream')
  const ids = refused.map((frame) => ('id' in frame ? frame.id : 0))
  expect(ids.slice(0, 2)).toEqual([spdyStreamsMax * 2 + 1, 1])
})

test(`nonsense ends the connection and its streams, nothing else (SEED=${seed})`, async () => {
  const random = randomFrom(seed)
  for (let round = 0; round < 50; round++) {
    const { client, connection, next } = await opened()
    client.write(synStream(1, await new HeaderPacker().pack({ streamtype: 'stdin' })))
    const stream = await next()
    const nonsense = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)))
    // A version that is none, so that the rest cannot be taken for data that goes on.
    client.write(Buffer.concat([Buffer.from([0xff, 0xff]), nonsense]))
    await connection.closed
    expect(stream.destroyed).toBe(true)
  }
})
