// Our own header blocks: literals that are not indexed, so that the peer's table never changes and each block is a constant.
import type { HeaderField } from './static-table.ts'
import { staticTable } from './static-table.ts'

/** Values must be latin1. A field that stands in the static table as a whole becomes its index. */
export function encodeHeaderBlock(fields: readonly HeaderField[]): Uint8Array {
  return Buffer.concat(fields.map(encodeField))
}

function encodeField([name, value]: HeaderField): Buffer {
  const whole = staticTable.findIndex((entry) => entry[0] === name && entry[1] === value)
  if (whole >= 0 && value !== '') return Buffer.from([0x80 | (whole + 1)])
  return Buffer.concat([Buffer.from([0]), encodeString(name), encodeString(value)])
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  while (rest >= 128) {
    length.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  length.push(rest)
  return Buffer.concat([Buffer.from(length), bytes])
}
