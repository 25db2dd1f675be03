// Reads a file front to back in small pieces without a call to the system for each.
import type { File } from '../node/ports.ts'

export class FileWindow {
  readonly #file: File
  readonly #sizeBytes: number
  #start = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(file: File, sizeBytes: number) {
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  /** A view of the bytes; shorter at the end of the file. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const at = position - this.#start
    if (at < 0 || at + length > this.#bytes.length) {
      this.#bytes = await this.#file.read(position, Math.max(length, this.#sizeBytes))
      this.#start = position
    }
    const start = position - this.#start
    return this.#bytes.subarray(start, start + length)
  }
}
