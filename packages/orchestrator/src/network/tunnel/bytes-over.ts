// An HTTP/2 stream as a plain Duplex that hands it nothing but bytes: Node 20 garbles the first characters of text that is written to one as
// latin1, which its own HTTP client does.
import { Duplex } from 'node:stream'

export const bytesOver = (stream: Duplex): Duplex => new BytesOver(stream)

class BytesOver extends Duplex {
  readonly #stream: Duplex

  constructor(stream: Duplex) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.pause()
    stream.once('end', () => this.push(null))
    stream.once('close', () => {
      // What came before the end is still to be read.
      if (stream.readableEnded && !this.readableEnded) this.once('end', () => this.destroy())
      else this.destroy()
    })
    // Whoever has it is told by 'close'; one who listens is told more.
    this.on('error', () => undefined)
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    if (this.#stream.destroyed) callback(new Error('the connection broke'))
    else this.#stream.write(chunk, callback)
  }

  override _final(callback: () => void): void {
    this.#stream.end(callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stream.destroy()
    callback(error)
  }
}
