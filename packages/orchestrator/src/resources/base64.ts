// Base64 of UTF-8 text and the size of what base64 text holds, without Buffer: pure code has no Node.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/

/** The standard base64, padded, of the UTF-8 bytes of `text`. */
export const encodeBase64 = (text: string): string => {
  const bytes = utf8Bytes(text)
  let encoded = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const first = bytes[index] ?? 0
    const second = bytes[index + 1]
    const third = bytes[index + 2]
    encoded += alphabet.charAt(first >> 2)
    encoded += alphabet.charAt(((first & 3) << 4) | ((second ?? 0) >> 4))
    encoded +=
      second === undefined ? '=' : alphabet.charAt(((second & 15) << 2) | ((third ?? 0) >> 6))
    encoded += third === undefined ? '=' : alphabet.charAt(third & 63)
  }
  return encoded
}

/** Where `text` stops being base64, as Go's decoder counts; undefined when it is fine. Line ends are skipped, as Go does. */
export const base64ProblemIndex = (text: string): number | undefined => {
  const plain = text.replaceAll(/[\r\n]/g, '')
  if (base64Pattern.test(plain) && plain.length % 4 === 0) return undefined
  const bad = plain.search(/[^A-Za-z0-9+/]/)
  return bad < 0 ? plain.length - (plain.length % 4) : bad
}

/** Bytes that valid base64 text stands for. */
export const base64SizeBytes = (text: string): number => {
  const plain = text.replaceAll(/[\r\n]/g, '')
  const padding = plain.endsWith('==') ? 2 : plain.endsWith('=') ? 1 : 0
  return (plain.length / 4) * 3 - padding
}

/** Bytes of `text` in UTF-8. */
export const utf8SizeBytes = (text: string): number => {
  let sizeBytes = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // Two bytes for each half of a surrogate pair; a lone half is written as the three of U+FFFD.
    sizeBytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : isPaired(text, index) ? 2 : 3
  }
  return sizeBytes
}

const isPaired = (text: string, index: number): boolean => {
  const unit = text.charCodeAt(index)
  if (isHighHalf(unit)) return isLowHalf(text.charCodeAt(index + 1))
  return isLowHalf(unit) && isHighHalf(text.charCodeAt(index - 1))
}
const isHighHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLowHalf = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const utf8Bytes = (text: string): number[] => {
  const bytes: number[] = []
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    // A lone surrogate is no character; UTF-8 writers put the replacement character in its place.
    pushUtf8(bytes, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point)
  }
  return bytes
}

const pushUtf8 = (bytes: number[], point: number): void => {
  if (point < 0x80) bytes.push(point)
  else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63))
  else if (point < 0x10000) {
    bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
  } else {
    bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63))
    bytes.push(0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
  }
}
