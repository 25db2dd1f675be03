// A snapshot as etcd's Snapshot RPC streams it: the file in blobs of 32 KiB, and the SHA-256 of all of it as the last blob. Clients check
// that the size is right for that: whole sectors, and the checksum.
import { createHash } from 'node:crypto'
import type { Backend } from '../backend/backend.ts'
import { layOutFile, writeFile } from './file-writer.ts'
import { bucketsOf } from './table-export.ts'

export const snapshotBlobSizeBytes: number = 32 * 1024

export interface SnapshotBlob {
  readonly bytes: Uint8Array
  /** What of the file comes after it; 0 for its end and for the checksum. */
  readonly remainingBytes: number
}

export interface SnapshotImage {
  /** Once. Writes that come meanwhile are not in it. */
  blobs(): AsyncIterable<SnapshotBlob>
  /** Must be called once; ends what runs. */
  release(): void
}

/** Pins what the tables hold now. */
export function snapshotImage(backend: Backend): SnapshotImage {
  const view = backend.view()
  return {
    async *blobs() {
      const buckets = await bucketsOf(view)
      const layout = await layOutFile(buckets)
      const hash = createHash('sha256')
      let remainingBytes = layout.sizeBytes
      for await (const bytes of cut(writeFile(buckets, layout))) {
        hash.update(bytes)
        remainingBytes -= bytes.length
        yield { bytes, remainingBytes }
      }
      yield { bytes: hash.digest(), remainingBytes: 0 }
    },
    release: () => view.release(),
  }
}

/** The same bytes in pieces of one size; the last one may be smaller. */
async function* cut(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let piece = Buffer.allocUnsafe(snapshotBlobSizeBytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(chunk.length - at, piece.length - filled)
      piece.set(chunk.subarray(at, at + count), filled)
      at += count
      filled += count
      if (filled < piece.length) continue
      yield piece
      piece = Buffer.allocUnsafe(snapshotBlobSizeBytes)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
