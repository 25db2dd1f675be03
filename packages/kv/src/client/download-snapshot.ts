// Takes a snapshot of one server: etcd's Snapshot RPC, of Balsa or of etcd, with a check that all of it came.
import { createHash } from 'node:crypto'
import { KvError } from '../errors.ts'
import { decodeSnapshotResponse } from '../proto/index.ts'
import { connectGrpc, type ConnectOptions } from './connect.ts'
import { AttemptError } from './wire.ts'

export interface SnapshotPart {
  readonly bytes: Uint8Array
  /** Of the file, after this part; the hash at the end does not count. */
  readonly remainingBytes: number
}

const noBody: Uint8Array = new Uint8Array(0)
const hashSizeBytes = 32

/** The bytes of the file and, last of all, their SHA-256: what a snapshot file is made of. Rejects with KvError if something is missing. */
export async function* downloadSnapshot(
  options: ConnectOptions & { readonly signal?: AbortSignal },
): AsyncIterable<SnapshotPart> {
  const wire = await connectGrpc(options)
  const hash = createHash('sha256')
  let last: Uint8Array = noBody
  try {
    for await (const body of wire.stream('Maintenance/Snapshot', noBody, options.signal)) {
      const { blob, remainingBytes } = decodeSnapshotResponse(body)
      hash.update(last)
      last = blob
      yield { bytes: blob, remainingBytes }
    }
  } catch (reason) {
    throw reason instanceof AttemptError ? reason.error : reason
  } finally {
    await wire.close()
  }
  if (last.length === hashSizeBytes && hash.digest().equals(last)) return
  throw new KvError('CORRUPT', { message: 'the snapshot does not end with its SHA-256' })
}
