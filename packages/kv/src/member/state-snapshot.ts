// The stream form of a whole state: what a member sends to one that is too far behind. See docs/backend-format.md.
import { KvError } from '../errors.ts'
import { crc32c } from '../mvcc/crc32c.ts'
import type { BackendView, Row } from '../backend/backend.ts'

const magic = Buffer.from('balsakv\x01', 'latin1')
/** Longest row that is believed; a longer one means that the stream is damaged. */
const rowSizeBytesMax = 64 * 2 ** 20
const headSizeBytes = 8
/** Instead of a row's key length: the end of the stream. */
const endMark = 0xffffffff

/** Magic; rows as key length, value length, key, value; at the end a mark and the CRC-32C of all before it. */
export async function* encodeSnapshot(view: BackendView): AsyncIterable<Uint8Array> {
  let crc = crc32c(0, magic)
  yield magic
  for await (const rows of view.rows('', '\xff')) {
    const parts: Uint8Array[] = []
    for (const [key, value] of rows) {
      const head = Buffer.alloc(headSizeBytes)
      head.writeUInt32BE(key.length, 0)
      head.writeUInt32BE(value.length, 4)
      parts.push(head, key, value)
    }
    const chunk = Buffer.concat(parts)
    crc = crc32c(crc, chunk)
    yield chunk
  }
  const end = Buffer.alloc(headSizeBytes)
  end.writeUInt32BE(endMark, 0)
  end.writeUInt32BE(crc, 4)
  yield end
}

/** Reads the same back, however the chunks were cut. Throws CORRUPT before the last rows are given out if anything is wrong. */
export async function* decodeSnapshot(
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly Row[]> {
  let buffer: Buffer = Buffer.alloc(0)
  let crc = 0
  let hasMagic = false
  let isComplete = false
  for await (const chunk of chunks) {
    if (isComplete) throw damaged('it goes on after its end')
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, chunk])
    if (!hasMagic) {
      if (buffer.length < magic.length) continue
      if (!buffer.subarray(0, magic.length).equals(magic)) throw damaged('its head is unknown')
      crc = crc32c(0, magic)
      buffer = buffer.subarray(magic.length)
      hasMagic = true
    }
    const { rows, sizeBytes } = parseRows(buffer)
    crc = crc32c(crc, buffer.subarray(0, sizeBytes))
    buffer = buffer.subarray(sizeBytes)
    if (buffer.length >= headSizeBytes && buffer.readUInt32BE(0) === endMark) {
      if (buffer.length > headSizeBytes) throw damaged('it goes on after its end')
      if (buffer.readUInt32BE(4) !== crc) throw damaged('its checksum is wrong')
      isComplete = true
    }
    if (rows.length > 0) yield rows
  }
  if (!isComplete) throw damaged('it ends too early')
}

function parseRows(buffer: Buffer): { rows: Row[]; sizeBytes: number } {
  const rows: Row[] = []
  let at = 0
  while (buffer.length - at >= headSizeBytes) {
    const keyLength = buffer.readUInt32BE(at)
    if (keyLength === endMark) break
    const valueLength = buffer.readUInt32BE(at + 4)
    if (keyLength + valueLength > rowSizeBytesMax) throw damaged('a row is too long')
    const valueAt = at + headSizeBytes + keyLength
    const end = valueAt + valueLength
    if (end > buffer.length) break
    rows.push([buffer.subarray(at + headSizeBytes, valueAt), buffer.subarray(valueAt, end)])
    at = end
  }
  return { rows, sizeBytes: at }
}

function damaged(what: string): KvError {
  return new KvError('CORRUPT', { message: `The snapshot is damaged: ${what}` })
}
