// A Duplex over a TLS connection of which each direction can end by itself, which TLS does not know in Node: bytes go as frames, the end as an
// empty one.
import { Duplex } from 'node:stream'
import { FrameWriter, readFrames, stdoutChannel } from './frames.ts'

export class FramedStream extends Duplex {
  readonly #connection: Duplex
  readonly #writer: FrameWriter
  /** The other side has said all. */
  #isComplete = false
  #wanted = (): void => undefined

  constructor(connection: Duplex) {
    super({ allowHalfOpen: true })
    this.#connection = connection
    this.#writer = new FrameWriter(connection, stdoutChannel)
    // Whoever has it is told by 'close'.
    this.on('error', () => undefined)
    connection.on('error', () => undefined)
    connection.once('close', () => {
      // What came before the end is still to be read.
      if (this.#isComplete && !this.readableEnded) this.once('end', () => this.destroy())
      else this.destroy()
    })
    void this.#receive()
  }

  override _read(): void {
    this.#wanted()
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    if (this.#writer.destroyed) callback(new Error('the connection broke'))
    else this.#writer.write(chunk, callback)
  }

  override _final(callback: () => void): void {
    if (this.#writer.destroyed) callback()
    else this.#writer.end(callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.readableEnded && this.writableFinished) this.#connection.end()
    else this.#connection.destroy()
    this.#wanted()
    callback(error)
  }

  /** Never rejects. */
  async #receive(): Promise<void> {
    try {
      for await (const { bytes } of readFrames(this.#connection)) {
        if (this.destroyed) return
        if (bytes.length === 0) {
          this.#isComplete = true
          this.push(null)
        } else if (!this.push(bytes)) {
          await new Promise<void>((resolve) => {
            this.#wanted = resolve
          })
        }
      }
    } catch {
      this.destroy()
    }
  }
}
