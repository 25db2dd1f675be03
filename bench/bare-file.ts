// A file whose blocks are there, as the segments of the WAL are, to measure what the disk itself takes.
import { fdatasync, openSync, writeSync } from 'node:fs'

/** What a record of one put takes in the WAL, about. */
const recordSizeBytes = 384
const preallocatedBytes = 4 * 1024 * 1024

export class BareFile {
  readonly #fd: number
  #position = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'w+')
    writeSync(this.#fd, Buffer.alloc(preallocatedBytes), 0, preallocatedBytes, 0)
  }

  /** Milliseconds of one write and its fdatasync. */
  append(): Promise<number> {
    const bytes = Buffer.alloc(recordSizeBytes, 'x')
    this.#position = (this.#position + recordSizeBytes) % (preallocatedBytes - recordSizeBytes)
    return new Promise((resolve, reject) => {
      const startedAt = performance.now()
      writeSync(this.#fd, bytes, 0, bytes.length, this.#position)
      fdatasync(this.#fd, (error) => {
        if (error === null) resolve(performance.now() - startedAt)
        else reject(error)
      })
    })
  }
}
