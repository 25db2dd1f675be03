import * as fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { decodeClientFrame, decodeServerFrame, encodeFrame } from './frame-codec.ts'
import { frameMessagesMax } from './native-protocol.ts'
import type { ClientMessage, ServerMessage } from './native-protocol.ts'

const seed = 20_261_121

test('client messages come back as they were', () => {
  const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  const message: fc.Arbitrary<ClientMessage> = fc.oneof(
    fc.tuple(fc.constant(0 as const), fc.constant('hello' as const), fc.nat()),
    fc.tuple(fc.constant(0 as const), fc.constant('watch' as const), body),
    fc.tuple(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.string(), body),
  )
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      expect(decodeClientFrame(encodeFrame(messages))).toEqual(messages)
    }),
    { seed },
  )
})

test('server messages come back as they were, ids of all 64 bits too', () => {
  const big = 2n ** 64n - 1n
  const messages: ServerMessage[] = [
    [0, 'hello', 1, big, 2n, 0n, [[big, ['http://a:1', 'http://b:2']]]],
    [0, 'watch', Buffer.from('watched')],
    [1, Buffer.from('reply')],
    [Number.MAX_SAFE_INTEGER, 'COMPACTED', 'gone', 7],
  ]
  expect(decodeServerFrame(encodeFrame(messages))).toEqual(messages)
})

test('no bytes make a decoder do anything but answer or throw an Error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeClientFrame, decodeServerFrame]) {
        try {
          decode(bytes)
        } catch (reason) {
          expect(reason).toBeInstanceOf(Error)
        }
      }
    }),
    { seed, numRuns: 5000 },
  )
})

test('a frame cut anywhere is refused', () => {
  const frame = encodeFrame([[1, 'KV/Put', Buffer.alloc(300, 'x')]])
  for (let length = 0; length < frame.length; length++) {
    expect(() => decodeClientFrame(frame.subarray(0, length))).toThrow(/ends/)
  }
})

describe('what a hostile client may try', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
  test.each([
    ['an array of 4 billion elements', bytes(0xdd, 0xff, 0xff, 0xff, 0xff), /ends too early/],
    ['a byte string of 4 GB', bytes(0x91, 0xc6, 0xff, 0xff, 0xff, 0xff, 1), /inside a value/],
    ['arrays in arrays without end', Uint8Array.from({ length: 100 }, () => 0x91), /nested deeper/],
    ['a map', bytes(0x81, 0xa1, 0x61, 0x01), /not part of the protocol/],
    ['an extension type', bytes(0xd4, 0x72, 0x40), /not part of the protocol/],
    ['bytes behind the frame', bytes(0x90, 0x00), /after the frame's end/],
    ['no array', bytes(0x01), /a frame is an array/],
    ['a message that is no array', bytes(0x91, 0x01), /a message is an array/],
    ['a message of another shape', bytes(0x91, 0x91, 0x01), /unknown message/],
    ['a negative id', encodeUnknown([[-1, 'KV/Put', Buffer.alloc(1)]]), /unknown message/],
    ['an id that is no whole number', encodeUnknown([[1.5, 'KV/Put', Buffer.alloc(1)]]), /unknown/],
  ])('%s is refused', (_name, frame, message) => {
    expect(() => decodeClientFrame(frame)).toThrow(message)
  })

  test('a frame holds as many messages as the limit says, and no more', () => {
    const hello: ClientMessage = [0, 'hello', 1]
    const most = Array.from({ length: frameMessagesMax }, () => hello)
    expect(decodeClientFrame(encodeFrame(most))).toHaveLength(frameMessagesMax)
    expect(() => decodeClientFrame(encodeFrame([...most, hello]))).toThrow(
      `${frameMessagesMax + 1} messages in a frame, more than ${frameMessagesMax}`,
    )
  })
})

function encodeUnknown(value: unknown): Uint8Array {
  return new Packr({ useRecords: false }).pack(value)
}
