import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { grpcMessage } from '../testing/raw-http2-client.ts'
import { MessageAssembler, messageSizeBytesMax, partialBytesMax } from './message-assembler.ts'

const seed = Number(process.env['SEED'] ?? 20_261_121)

test('messages come out whole and in order, however DATA cuts them', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 })
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 80 })
  const check = fc.property(bodies, cuts, (messages, sizes) => {
    const seen: Buffer[] = []
    const total = { count: 0 }
    const assembler = new MessageAssembler(total, (body) => seen.push(Buffer.from(body)))
    const bytes = Buffer.concat(messages.map(grpcMessage))
    let at = 0
    for (let i = 0; at < bytes.length; i++) {
      const end = Math.min(bytes.length, at + (sizes[i % sizes.length] ?? 1))
      assembler.push(bytes, at, end)
      at = end
    }
    expect(seen).toEqual(messages.map((message) => Buffer.from(message)))
    expect([assembler.hasPartial, total.count]).toEqual([false, 0])
  })
  fc.assert(check, { seed })
})

test('a message of the largest size is taken and one byte more is refused', () => {
  const header = (size: number): Buffer => grpcMessage(Buffer.alloc(size)).subarray(0, 5)
  const assembler = (): MessageAssembler => new MessageAssembler({ count: 0 }, () => undefined)
  expect(() => assembler().push(header(messageSizeBytesMax), 0, 5)).not.toThrow()
  const late = assembler()
  late.push(header(messageSizeBytesMax + 1), 0, 3)
  expect(() => late.push(header(messageSizeBytesMax + 1), 3, 5)).toThrow('larger than max')
  expect(() => assembler().push(header(messageSizeBytesMax + 1), 0, 5)).toThrow('larger than max')
})

test('unfinished messages of all calls together are bounded, and released ones make room', () => {
  const total = { count: partialBytesMax - 10 }
  const part = grpcMessage(Buffer.alloc(100)).subarray(0, 10)
  const first = new MessageAssembler(total, () => undefined)
  first.push(part, 0, 10)
  const second = new MessageAssembler(total, () => undefined)
  expect(() => second.push(part, 0, 1)).toThrow('too many unfinished messages')
  first.release()
  second.push(part, 0, 10)
  expect(total.count).toBe(partialBytesMax)
})
