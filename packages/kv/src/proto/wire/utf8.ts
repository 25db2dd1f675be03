// UTF-8 for pure code, which has no TextEncoder. Protobuf strings are short here (names, URLs, reasons), so plain loops do.
import { malformed } from './malformed.ts'

const replacement = 0xfffd

/** Lone surrogates become U+FFFD, as TextEncoder does. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3)
  let size = 0
  for (const character of text) {
    let point = character.codePointAt(0) ?? replacement
    if (point >= 0xd800 && point <= 0xdfff) point = replacement
    if (point < 0x80) {
      bytes[size++] = point
      continue
    }
    if (point < 0x800) {
      bytes[size++] = 0xc0 | (point >> 6)
    } else {
      if (point < 0x10000) {
        bytes[size++] = 0xe0 | (point >> 12)
      } else {
        bytes[size++] = 0xf0 | (point >> 18)
        bytes[size++] = 0x80 | ((point >> 12) & 0x3f)
      }
      bytes[size++] = 0x80 | ((point >> 6) & 0x3f)
    }
    bytes[size++] = 0x80 | (point & 0x3f)
  }
  return bytes.subarray(0, size)
}

/** Throws MALFORMED for bytes that are not UTF-8: a proto3 string must be. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = ''
  let pos = 0
  while (pos < bytes.length) {
    const first = bytes[pos++] ?? 0
    if (first < 0x80) {
      text += String.fromCharCode(first)
      continue
    }
    const follow = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    if (first < 0xc2 || first > 0xf4) throw malformed('string is not UTF-8')
    let point = first & (0x3f >> follow)
    for (let i = 0; i < follow; i++) {
      const next = bytes[pos++] ?? 0
      if ((next & 0xc0) !== 0x80) throw malformed('string is not UTF-8')
      point = (point << 6) | (next & 0x3f)
    }
    const smallest = follow === 1 ? 0x80 : follow === 2 ? 0x800 : 0x10000
    const isSurrogate = point >= 0xd800 && point <= 0xdfff
    if (point < smallest || point > 0x10ffff || isSurrogate) throw malformed('string is not UTF-8')
    text += String.fromCodePoint(point)
  }
  return text
}
