// Protobuf messages as a list of fields, without a schema: replies are compared and understood as bytes, because all but a few of them are equal.

export interface Field {
  readonly number: number
  /** With its tag. */
  readonly bytes: Buffer
  /** Of a number; below 0 it is -1. */
  readonly value: number
  /** Of a length-delimited field. */
  readonly content?: Buffer
}

const negativeFrom = 2 ** 63

export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < message.length) {
    const start = at
    const tag = varint(message, at)
    at = tag.end
    const wireType = tag.value % 8
    const number = Math.floor(tag.value / 8)
    if (wireType === 0) {
      const { value, end } = varint(message, at)
      at = end
      fields.push({ number, bytes: message.subarray(start, at), value })
    } else if (wireType === 2) {
      const length = varint(message, at)
      at = length.end + length.value
      const content = message.subarray(length.end, at)
      fields.push({ number, bytes: message.subarray(start, at), value: 0, content })
    } else throw new Error(`A reply has a field of wire type ${wireType}`)
  }
  return fields
}

function varint(bytes: Buffer, from: number): { value: number; end: number } {
  let value = 0
  let scale = 1
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) return { value: value >= negativeFrom ? -1 : value, end: at + 1 }
  }
  throw new Error('A reply ends within a number')
}

const headerField = 1
const revisionField = 3

/** The newest revision as the header of a reply tells it; 0 if it does not. */
export function revisionOf(header: Buffer | undefined): number {
  if (header === undefined) return 0
  return fieldsOf(header).find(({ number }) => number === revisionField)?.value ?? 0
}

/** Of a whole reply. */
export function headerRevision(reply: Buffer): number {
  const header = fieldsOf(reply).find(({ number }) => number === headerField)
  return revisionOf(header?.content)
}
