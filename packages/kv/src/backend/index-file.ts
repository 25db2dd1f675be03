// A saved index as a file beside the tables: chunks, each with its length and checksum. It counts only if the tables name it.
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KvError } from '../errors.ts'
import { crc32c } from '../mvcc/crc32c.ts'

const namePrefix = 'index-'
const headSizeBytes = 8
const chunkSizeBytesMax = 64 * 2 ** 20

/** Writes and syncs a new file; false if the signal came first. */
export async function writeIndexFile(
  path: string,
  chunks: Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<boolean> {
  const file = await open(path, 'w', 0o600)
  try {
    for (const chunk of chunks) {
      if (signal.aborted) return false
      const head = Buffer.alloc(headSizeBytes)
      head.writeUInt32BE(chunk.length, 0)
      head.writeUInt32BE(crc32c(0, chunk), 4)
      await file.writev([head, chunk])
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return !signal.aborted
}

/** The chunks as they were written. Throws CORRUPT where the file is damaged. */
export async function* readIndexFile(path: string): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(headSizeBytes)
    for (;;) {
      const { bytesRead } = await file.read(head, 0, headSizeBytes)
      if (bytesRead === 0) return
      const length = head.readUInt32BE(0)
      if (bytesRead < headSizeBytes || length > chunkSizeBytesMax) throw damaged(path)
      const chunk = Buffer.alloc(length)
      const read = await file.read(chunk, 0, length)
      if (read.bytesRead < length || crc32c(0, chunk) !== head.readUInt32BE(4)) throw damaged(path)
      yield chunk
    }
  } finally {
    await file.close()
  }
}

export function indexFileName(number: number): string {
  return `${namePrefix}${number}`
}

/** Removes every saved index but the named one. */
export async function removeOtherIndexFiles(
  directory: string,
  kept: string | undefined,
): Promise<void> {
  const names = await readdir(directory)
  const others = names.filter((name) => name.startsWith(namePrefix) && name !== kept)
  await Promise.all(others.map((name) => rm(join(directory, name), { force: true })))
}

function damaged(path: string): KvError {
  return new KvError('CORRUPT', { message: `The saved index ${path} is damaged` })
}
