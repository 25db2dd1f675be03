// Finds a record that the disk wrote to the wrong place. Where it should be there is nothing, as if it had never been written; but it names
// the record before it, and its checksum covers the place that it was meant for.
import type { File } from '../node/ports.ts'
import { readRecordHeader, recordHeaderSizeBytes, type RecordPosition } from './segment-format.ts'

const stepBytes = 1024 * 1024
/** Of the field that names the record before, in the header. */
const chainFieldOffset = 4

/** Where in `file`, from `from` on, the record stands that was meant for `position`, behind the one whose chain value is `chain`. */
export async function findMisplacedRecord(
  file: File,
  from: number,
  { position, chain }: { readonly position: RecordPosition; readonly chain: number },
): Promise<number | undefined> {
  const wanted = Buffer.alloc(4)
  wanted.writeUInt32LE(chain)
  const size = await file.size()
  for (let at = from; at < size; at += stepBytes) {
    const bytes = Buffer.from(await file.read(at, stepBytes + recordHeaderSizeBytes))
    for (let hit = bytes.indexOf(wanted); hit !== -1; hit = bytes.indexOf(wanted, hit + 1)) {
      const start = hit - chainFieldOffset
      if (start < 0) continue
      if (readRecordHeader(bytes.subarray(start), position)?.previous === chain) return at + start
    }
  }
  return undefined
}
