import { expect, test } from 'vitest'
import { quotedBytes } from './quoted-bytes.ts'

test.each([
  ['text', Buffer.from('a "b" \\ é 😀'), String.raw`"a \"b\" \\ é 😀"`],
  [
    'control characters',
    Buffer.from('\0\x07\b\t\n\v\f\r\x1b\x7f'),
    String.raw`"\x00\a\b\t\n\v\f\r\x1b\x7f"`,
  ],
  [
    'what cannot be seen',
    Buffer.from('\u0080\u00a0\u00ad\u3000\u{e0001}'),
    String.raw`"\u0080\u00a0\u00ad\u3000\U000e0001"`,
  ],
  [
    'bytes that are no text',
    Uint8Array.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]),
    String.raw`"a\xff\xc3(\xe2\x82"`,
  ],
  ['halves of pairs', Uint8Array.from([0xed, 0xa0, 0x80, 0x80]), String.raw`"\xed\xa0\x80\x80"`],
  ['nothing', new Uint8Array(0), '""'],
])('%s is quoted as Go quotes it', (_, bytes, quoted) => {
  expect(quotedBytes(bytes)).toBe(quoted)
})
