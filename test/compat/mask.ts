// What differs between two clusters that did the same: ids, terms, and the time that leases have left. It is cut out of the bytes of a reply, so that
// all the rest is compared as it came, byte for byte.

/** Fields of the header: cluster id, member id, raft term; the revision stays. */
const hiddenHeaderFields = new Set([1, 2, 4])
/** Of replies that say more of the clock or of the member. */
const hiddenFields: Readonly<Record<string, readonly number[]>> = {
  'Lease/LeaseTimeToLive': [3],
  'Auth/Authenticate': [2],
  // 3.4 has no such field.
  'Maintenance/HashKV': [4],
}

/** Methods whose repeated fields come in any order from etcd, which keeps them in maps. */
const unorderedMethods = new Set(['Lease/LeaseTimeToLive', 'Lease/LeaseLeases'])

export function masked(method: string, reply: Uint8Array): Buffer {
  const hidden = new Set(hiddenFields[method] ?? [])
  const parts: Uint8Array[] = []
  for (const field of fieldsOf(reply)) {
    if (hidden.has(field.number)) continue
    if (field.number !== 1 || field.content === undefined) parts.push(field.bytes)
    else parts.push(Buffer.from('|'), ...visible(field.content), Buffer.from('|'))
  }
  if (unorderedMethods.has(method)) parts.sort(Buffer.compare)
  return Buffer.concat(parts)
}

function visible(header: Uint8Array): Uint8Array[] {
  return fieldsOf(header)
    .filter(({ number }) => !hiddenHeaderFields.has(number))
    .map(({ bytes }) => bytes)
}

interface Field {
  readonly number: number
  /** With its tag. */
  readonly bytes: Uint8Array
  /** Of a length-delimited field. */
  readonly content?: Uint8Array
}

function fieldsOf(message: Uint8Array): readonly Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < message.length) {
    const start = at
    const tag = varint(message, at)
    at = tag.end
    const wireType = tag.value % 8
    const number = Math.floor(tag.value / 8)
    let content: Uint8Array | undefined
    if (wireType === 0) at = varint(message, at).end
    else if (wireType === 2) {
      const length = varint(message, at)
      at = length.end + length.value
      content = message.subarray(length.end, at)
    } else throw new Error(`A reply has a field of wire type ${wireType}`)
    const bytes = message.subarray(start, at)
    fields.push(content === undefined ? { number, bytes } : { number, bytes, content })
  }
  return fields
}

function varint(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0
  let scale = 1
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) return { value, end: at + 1 }
  }
  throw new Error('A reply ends within a number')
}
