// Finds a copy of the metadata that the disk wrote into the log: what it overwrote there may be the record that says the same, so the
// copy itself is then the only place where a term or a vote stands.
import type { File } from '../node/ports.ts'
import {
  checkMetadataCopy,
  metadataCopies,
  metadataCopySizeBytes,
  metadataMagic,
  type MetadataCopy,
} from './metadata-format.ts'

const stepBytes = 1024 * 1024

/** The newest copy in `file` from `from` on. */
export async function findStrayMetadata(
  file: File,
  from: number,
): Promise<MetadataCopy | undefined> {
  let newest: MetadataCopy | undefined
  const size = await file.size()
  for (let at = from; at < size; at += stepBytes) {
    const bytes = Buffer.from(await file.read(at, stepBytes + metadataCopySizeBytes))
    for (let hit = bytes.indexOf(metadataMagic); hit !== -1;) {
      const copy = readCopy(bytes.subarray(hit, hit + metadataCopySizeBytes))
      if (copy !== undefined && copy.count > (newest?.count ?? 0)) newest = copy
      hit = bytes.indexOf(metadataMagic, hit + 1)
    }
  }
  return newest
}

/** Whichever place it was meant for. */
function readCopy(bytes: Uint8Array): MetadataCopy | undefined {
  for (let i = 0; i < metadataCopies; i++) {
    const check = checkMetadataCopy(bytes, i * metadataCopySizeBytes)
    if (check.status === 'ok') return check.copy
  }
  return undefined
}
