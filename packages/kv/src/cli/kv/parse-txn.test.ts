import { expect, test } from 'vitest'
import { parseCondition, parseOperation, TxnReader } from './parse-txn.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

test.each([
  ['value("a") = "1"', { key: bytes('a'), is: '=', target: 'value', than: bytes('1') }],
  [
    'val("a b") != "\\x00\\n\\u00fc\\""',
    {
      key: bytes('a b'),
      is: '!=',
      target: 'value',
      than: bytes('\0\nü"'),
    },
  ],
  ['  ver("a")>"0"  ', { key: bytes('a'), is: '>', target: 'version', than: 0 }],
  ['c("a") < "7"', { key: bytes('a'), is: '<', target: 'create', than: 7 }],
  ['mod("a") = "9"', { key: bytes('a'), is: '=', target: 'mod', than: 9 }],
  ['lease("a") = "694d"', { key: bytes('a'), is: '=', target: 'lease', than: 0x694dn }],
])('%s is a comparison', (line, condition) => {
  expect(parseCondition(line)).toEqual(condition)
})

test.each([
  ['nothing', 'malformed comparison: nothing'],
  ['mod(a) = "1"', 'malformed comparison: mod(a) = "1"'],
  ['mod("a") ~ "1"', 'malformed comparison: mod("a") ~ "1"'],
  ['size("a") = "1"', 'malformed comparison: size("a") = "1" (unknown target size)'],
  ['mod("a") = "one"', 'invalid txn compare request: mod("a") = "one"'],
])('%s is refused as a comparison', (line, message) => {
  expect(() => parseCondition(line)).toThrow(message)
})

test.each([
  ['put a 1', { op: 'put', key: 'a', value: '1' }],
  [`put "two words" 'a b' --prev-kv`, { op: 'put', key: 'two words', value: 'a b', prevKv: true }],
  ['put --lease=694d a b', { op: 'put', key: 'a', value: 'b', lease: 0x694dn }],
  ['get a --prefix --limit 3', { op: 'range', prefix: 'a', limit: 3 }],
  ['del a b', { op: 'delete', key: 'a', rangeEnd: 'b' }],
])('%s is a request', (line, operation) => {
  expect(parseOperation(line)).toMatchObject(operation)
})

test.each(['nope a', 'get --prefix', 'get a --nonsense', 'get a --limit many', 'help get'])(
  '%s is refused as a request',
  (line) => {
    expect(() => parseOperation(line)).toThrow(`invalid txn request: ${line}`)
  },
)

test('empty lines end the parts, and after three of them nothing is missing', () => {
  const reader = new TxnReader()
  const parts = ['mod("a") = "0"', '', 'put a 1', 'get a', '', ''].map((line) => {
    reader.add(line)
    return reader.part
  })
  expect(parts).toEqual(['if', 'then', 'then', 'then', 'else', undefined])
  expect([reader.txn.if?.length, reader.txn.then?.length, reader.txn.else]).toEqual([1, 2, []])
})
