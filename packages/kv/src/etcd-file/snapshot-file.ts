// A snapshot on disk: a file of etcd with the SHA-256 of all of it behind its end, or without when it is copied from a data folder. Reads
// as it is walked, so that its size does not matter.
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32c } from '../mvcc/crc32c.ts'
import { keyText } from '../mvcc/key-text.ts'
import { historyTable, parseRowKey } from '../mvcc/revision.ts'
import { EtcdFileError } from './etcd-file-error.ts'
import { bucketName } from './etcd-schema.ts'
import { EtcdFile, type ByteSource } from './file-reader.ts'

const hashSizeBytes = 32
const sectorSizeBytes = 512
const hashReadSizeBytes: number = 2 ** 20

/** What etcdctl's `snapshot status` tells. */
export interface SnapshotStatus {
  readonly hash: number
  readonly revision: number
  readonly totalKey: number
  readonly totalSize: number
}

export class SnapshotFile implements ByteSource, Disposable {
  readonly sizeBytes: number
  readonly hasHash: boolean
  readonly #file: number

  /** Throws what opening a file throws. */
  constructor(path: string) {
    this.#file = openSync(path, 'r')
    const { size } = fstatSync(this.#file)
    this.hasHash = size % sectorSizeBytes === hashSizeBytes
    this.sizeBytes = this.hasHash ? size - hashSizeBytes : size
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length;) {
      const count = readSync(this.#file, bytes, at, length - at, offset + at)
      if (count === 0) throw new EtcdFileError('TRUNCATED', 'the file has become shorter', offset)
      at += count
    }
    return bytes
  }

  /** Throws CHECKSUM if the hash is missing or another one; in etcdctl's words. */
  checkHash(onProgress: (doneBytes: number) => void = () => undefined): void {
    if (!this.hasHash) {
      throw new EtcdFileError('CHECKSUM', 'snapshot missing hash but --skip-hash-check=false')
    }
    const hash = createHash('sha256')
    for (let at = 0; at < this.sizeBytes; at += hashReadSizeBytes) {
      hash.update(this.read(at, Math.min(hashReadSizeBytes, this.sizeBytes - at)))
      onProgress(at)
    }
    const expected = Buffer.from(this.read(this.sizeBytes, hashSizeBytes))
    const found = hash.digest()
    if (expected.equals(found)) return
    const text = `expected sha256 [${expected.join(' ')}], got [${found.join(' ')}]`
    throw new EtcdFileError('CHECKSUM', text, this.sizeBytes)
  }

  /** Reads all of it, and checks every page. Throws EtcdFileError. */
  status(): SnapshotStatus {
    const file = EtcdFile.open(this)
    let hash = 0
    let revision = 0
    let totalKey = 0
    for (const bucket of file.buckets()) {
      hash = crc32c(hash, bucket.name)
      const isHistory = Buffer.from(bucket.name).toString() === bucketName.key
      for (const [key, value] of bucket.rows()) {
        hash = crc32c(crc32c(hash, key), value)
        totalKey++
        if (isHistory) revision = parseRowKey(historyTable + keyText(key))?.main ?? revision
      }
    }
    file.checkFreePages()
    return { hash, revision, totalKey, totalSize: file.sizeBytes }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
