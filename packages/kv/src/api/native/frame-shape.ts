// Walks a frame's bytes before they are decoded: only the few MessagePack types the protocol uses, nothing nested deep, no count larger
// than the bytes behind it. So a hostile frame costs no more memory than its own size.

const depthMax = 5

/** Throws an Error that says what is wrong where. */
export function checkFrameShape(bytes: Uint8Array): void {
  const end = skipValue(bytes, 0, 0)
  if (end !== bytes.length) throw new Error(`${bytes.length - end} bytes after the frame's end`)
}

/** Returns the offset behind the value at `at`. */
function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  const token = bytes[at]
  if (token === undefined) throw new Error(`frame ends at byte ${at} inside a value`)
  if (token < 0x80 || token >= 0xe0) return at + 1
  if (token >= 0x90 && token < 0xa0) return skipArray(bytes, at + 1, token & 0x0f, depth)
  if (token >= 0xa0 && token < 0xc0) return skipBytes(bytes, at + 1, token & 0x1f)
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return skipBytes(bytes, at + 2, numberAt(bytes, at + 1, 1))
    case 0xc5: // bin 16
    case 0xda: // str 16
      return skipBytes(bytes, at + 3, numberAt(bytes, at + 1, 2))
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return skipBytes(bytes, at + 5, numberAt(bytes, at + 1, 4))
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return skipBytes(bytes, at + 1, 1)
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return skipBytes(bytes, at + 1, 2)
    case 0xce: // uint 32
    case 0xd2: // int 32
      return skipBytes(bytes, at + 1, 4)
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return skipBytes(bytes, at + 1, 8)
    case 0xdc: // array 16
      return skipArray(bytes, at + 3, numberAt(bytes, at + 1, 2), depth)
    case 0xdd: // array 32
      return skipArray(bytes, at + 5, numberAt(bytes, at + 1, 4), depth)
    default:
      throw new Error(`type 0x${token.toString(16)} at byte ${at} is not part of the protocol`)
  }
}

function skipArray(bytes: Uint8Array, at: number, count: number, depth: number): number {
  if (depth >= depthMax) throw new Error(`arrays nested deeper than ${depthMax} at byte ${at}`)
  if (count > bytes.length - at) throw new Error(`array of ${count} elements ends too early`)
  let next = at
  for (let i = 0; i < count; i++) next = skipValue(bytes, next, depth + 1)
  return next
}

function skipBytes(bytes: Uint8Array, at: number, count: number): number {
  if (count > bytes.length - at) throw new Error(`frame ends at byte ${at} inside a value`)
  return at + count
}

function numberAt(bytes: Uint8Array, at: number, size: 1 | 2 | 4): number {
  let value = 0
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new Error(`frame ends at byte ${at + i} inside a value`)
    value = value * 256 + byte
  }
  return value
}
