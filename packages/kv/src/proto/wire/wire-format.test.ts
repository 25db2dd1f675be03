import { expect, test } from 'vitest'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

const numbers = [1, 127, 128, 300, 2 ** 28, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 53 - 1]

test('numbers of every size and sign come back, and lengths are minimal', () => {
  const writer = new WireWriter()
  for (const number of numbers.flatMap((n) => [n, -n])) {
    writer.begin()
    writer.int64(1, number)
    const bytes = writer.finish()
    const reader = new WireReader(bytes)
    expect(reader.tag()).toBe(8)
    expect(reader.int64()).toBe(number)
    expect(reader.done()).toBe(true)
    if (number > 0) expect(bytes.length).toBe(1 + Math.ceil(Math.log2(number + 1) / 7))
  }
})

test('a number beyond int64 is written as the largest int64', () => {
  const writer = new WireWriter().begin()
  writer.int64(1, 2 ** 70)
  const reader = new WireReader(writer.finish())
  reader.tag()
  expect(reader.bigInt64()).toBe(2n ** 63n - 1n)
})

test('bigints keep all 64 bits, signed and unsigned', () => {
  const writer = new WireWriter()
  for (const id of [1n, 127n, 2n ** 32n, 2n ** 63n - 1n, -1n, -(2n ** 63n)]) {
    writer.begin()
    writer.bigInt64(1, id)
    const bytes = writer.finish()
    const signed = new WireReader(bytes)
    signed.tag()
    expect(signed.bigInt64()).toBe(id)
    const unsigned = new WireReader(bytes)
    unsigned.tag()
    expect(unsigned.bigUint64()).toBe(BigInt.asUintN(64, id))
  }
})

test('a sub-message gets its length however long it is', () => {
  for (const size of [0, 1, 100, 127, 128, 129, 16_384, 70_000]) {
    const value = new Uint8Array(size).fill(7)
    const writer = new WireWriter().begin()
    const outer = writer.open(2)
    const inner = writer.open(3)
    writer.bytes(1, value)
    writer.close(inner)
    writer.close(outer)
    writer.int64(4, 9)
    const reader = new WireReader(writer.finish())
    expect(reader.tag()).toBe(0x12)
    const middle = reader.message()
    expect(middle.tag()).toBe(0x1a)
    const leaf = middle.message()
    expect(middle.done()).toBe(true)
    if (size > 0) {
      expect(leaf.tag()).toBe(0x0a)
      expect(leaf.bytes()).toEqual(value)
    }
    expect(leaf.done()).toBe(true)
    expect(reader.tag()).toBe(0x20)
    expect(reader.int64()).toBe(9)
  }
})

test('finished messages are never written to again', () => {
  const writer = new WireWriter()
  const messages = Array.from({ length: 3000 }, (_, i) => {
    writer.begin()
    writer.bytes(1, new Uint8Array(i % 50).fill(i))
    writer.int64(2, i)
    return writer.finish()
  })
  for (const [i, message] of messages.entries()) {
    const reader = new WireReader(message)
    if (i % 50 > 0) {
      reader.tag()
      expect(reader.bytes()).toEqual(new Uint8Array(i % 50).fill(i))
    }
    if (i > 0) {
      reader.tag()
      expect(reader.int64()).toBe(i)
    }
  }
})

test('every malformed field is refused', () => {
  const read = (...bytes: number[]): void => {
    const reader = new WireReader(Uint8Array.from(bytes))
    while (!reader.done()) reader.skip(reader.tag())
  }
  expect(() => read(0x00)).toThrow('field number')
  expect(() => read(0x08)).toThrow('truncated varint')
  expect(() => read(0x80)).toThrow('truncated varint')
  expect(() => read(0x0a, 5, 1)).toThrow('truncated field')
  expect(() => read(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)).toThrow('truncated field')
  expect(() => read(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)).toThrow('length')
  expect(() => read(0x09, 1, 2)).toThrow('truncated field')
  expect(() => read(0x0d, 1)).toThrow('truncated field')
  expect(() => read(0x0b)).toThrow('wire type')
  expect(() => read(0x0f)).toThrow('wire type')
  expect(() => read(0x08, ...Array.from({ length: 11 }, () => 0xff))).toThrow('varint')
  expect(() => read(0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)).toThrow('field number')
})

test('a reader of a sub-message does not see past its end', () => {
  const reader = new WireReader(Uint8Array.from([0x0a, 1, 0x08, 0x05]))
  reader.tag()
  const inner = reader.message()
  expect(inner.tag()).toBe(8)
  expect(() => inner.int64()).toThrow('truncated varint')
})

test('UTF-8 comes back for every plane and malformed UTF-8 is refused', () => {
  const text = 'aé€😀\u0000\uffff\u{10ffff}'
  expect(encodeUtf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)))
  expect(decodeUtf8(encodeUtf8(text))).toBe(text)
  const wrong = [[0x80], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf5, 1, 1, 1]]
  for (const bytes of [...wrong, [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80], [0xc3, 0x28]]) {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow('UTF-8')
  }
})
