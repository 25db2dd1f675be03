import { connect } from 'node:http2'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { FrameReader } from '../http2/frame-reader.ts'
import { connectionPreface, frameType } from '../http2/http2-protocol.ts'
import { encodeHeaderBlock } from './header-block.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import type { HeaderField } from './static-table.ts'

const listSizeMax = 16_384
const example: HeaderField = [':authority', 'www.example.com']
const date1: HeaderField = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT']
const date2: HeaderField = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT']
const location: HeaderField = ['location', 'https://www.example.com']
const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
const requests: readonly (readonly HeaderField[])[] = [
  [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], example],
  [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], example, ['cache-control', 'no-cache']],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    example,
    ['custom-key', 'custom-value'],
  ],
]
const responses: readonly (readonly HeaderField[])[] = [
  [[':status', '302'], ['cache-control', 'private'], date1, location],
  [[':status', '307'], ['cache-control', 'private'], date1, location],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    date2,
    location,
    ['content-encoding', 'gzip'],
    ['set-cookie', cookie],
  ],
]

function decodeAll(decoder: HpackDecoder, blocks: readonly string[]): unknown {
  return blocks.map((hex) =>
    decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), listSizeMax),
  )
}

test('RFC 7541 C.3: requests without Huffman coding', () => {
  const blocks = [
    '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '8286 84be 5808 6e6f 2d63 6163 6865',
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
  ]
  expect(decodeAll(new HpackDecoder(), blocks)).toEqual(requests)
})

test('RFC 7541 C.4: requests with Huffman coding', () => {
  const blocks = [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ]
  expect(decodeAll(new HpackDecoder(), blocks)).toEqual(requests)
})

test('RFC 7541 C.5: responses with a table of 256 bytes, from which entries fall out', () => {
  const decoder = new HpackDecoder()
  decoder.limitTable(256)
  const blocks = [
    `3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
     2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
     6c65 2e63 6f6d`,
    '4803 3330 37c1 c0bf',
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
     54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
     5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
     3d31`,
  ].map((hex) => hex.replaceAll(/\s/g, ''))
  expect(decodeAll(decoder, blocks)).toEqual(responses)
})

test('RFC 7541 C.6: the same responses with Huffman coding', () => {
  const decoder = new HpackDecoder()
  decoder.limitTable(256)
  const blocks = [
    `3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
     2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    '4883 640e ffc1 c0bf',
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
     77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
     9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
  ].map((hex) => hex.replaceAll(/\s/g, ''))
  expect(decodeAll(decoder, blocks)).toEqual(responses)
})

test('our own blocks come back, long values too', () => {
  const fields: HeaderField[] = [
    [':status', '200'],
    ['grpc-message', 'x'.repeat(126)],
    ['grpc-message', 'y'.repeat(127)],
    ['grpc-message', 'z'.repeat(5000)],
    ['content-type', ''],
  ]
  const block = Buffer.from(encodeHeaderBlock(fields))
  expect(new HpackDecoder().decode(block, listSizeMax)).toEqual(fields)
})

test('every broken block is a COMPRESSION_ERROR', () => {
  const broken = {
    'index 0': '80',
    'index past both tables': 'be',
    'integer without its end': 'ff',
    'integer too large': 'ffffffffffff0f',
    'string longer than the block': '000a61',
    'string that is missing': '0001 61',
    'name index past the table': '7f 20 00',
    'size update above the limit': '3fe21f',
    'size update after a field': '82 20',
    'Huffman padding of zeros': '00 81 00 00',
    'Huffman padding of a whole byte': '00 82 1fff 00',
    'Huffman end of string': '00 84 ffff ffff 00',
  }
  for (const [what, hex] of Object.entries(broken)) {
    const block = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    expect(() => new HpackDecoder().decode(block, listSizeMax), what).toThrow(
      /header block|Huffman/,
    )
  }
})

test('a header list past its limit is refused, yet the table stays in step', () => {
  const decoder = new HpackDecoder()
  const long = Buffer.from(encodeHeaderBlock([['a', 'b'.repeat(1000)]]))
  const indexed = Buffer.from([0x40, 1, 0x63, 1, 0x64])
  expect(decoder.decode(Buffer.concat([long, indexed]), 500)).toBeUndefined()
  expect(decoder.decode(Buffer.from([0xbe]), 500)).toEqual([['c', 'd']])
})

test('a table limited to nothing keeps nothing and makes the decoder stateless', () => {
  const decoder = new HpackDecoder()
  const indexed = Buffer.from([0x40, 1, 0x63, 1, 0x64])
  decoder.decode(indexed, listSizeMax)
  expect(decoder.isStateless).toBe(false)
  decoder.limitTable(0)
  // A client that does not know of the limit goes on with its table.
  expect(decoder.decode(Buffer.from([0xbe]), listSizeMax)).toEqual([['c', 'd']])
  expect(decoder.isStateless).toBe(false)
  expect(decoder.decode(Buffer.concat([Buffer.from([0x20]), indexed]), listSizeMax)).toEqual([
    ['c', 'd'],
  ])
  expect(decoder.isStateless).toBe(true)
  expect(() => decoder.decode(Buffer.from([0xbe]), listSizeMax)).toThrow('index')
})

test('what the HTTP/2 client of Node encodes is read as it was meant, every character of it', async () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')
  const values = ['1', 'grpc-go/1.23', printable.trim(), printable.trim().repeat(5)]
  const decoder = new HpackDecoder()
  const lists: HeaderField[][] = []
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
  const server = createServer((socket) => {
    let skip = connectionPreface.length
    const reader = new FrameReader(({ type, flags, buffer, start, end }) => {
      if (type !== frameType.headers) return
      const priority = (flags & 0x20) === 0 ? 0 : 5
      lists.push(decoder.decode(buffer.subarray(start + priority, end), listSizeMax) ?? [])
      if (lists.length === values.length) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.write(settings)
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(skip, chunk.length)
      skip -= skipped
      reader.push(chunk.subarray(skipped))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const closed = new Promise<void>((resolve) => client.once('close', resolve))
  client.on('error', () => client.destroy())
  for (const value of values) {
    const request = client.request({ ':path': '/x', 'x-value': value, 'x-same': 'same' })
    request.on('error', () => request.destroy())
  }
  await closed
  await new Promise<void>((resolve) => server.close(() => resolve()))
  expect(lists.map((list) => new Map(list).get('x-value'))).toEqual(values)
  expect(lists.every((list) => new Map(list).get('x-same') === 'same')).toBe(true)
})
