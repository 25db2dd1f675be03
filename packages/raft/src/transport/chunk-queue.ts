// Turns the messages of a socket into an AsyncIterable with back-pressure: the socket is paused while the reader is behind.

const pauseAtBytes = 4 * 1024 * 1024
const resumeAtBytes = 1024 * 1024

export interface Source {
  pause(): void
  resume(): void
}

export class ChunkQueue implements AsyncIterable<Uint8Array> {
  readonly #source: Source
  #chunks: Uint8Array[] = []
  #bytes = 0
  #isPaused = false
  #isEnded = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(source: Source) {
    this.#source = source
  }

  push(chunk: Uint8Array): void {
    if (this.#isEnded) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= pauseAtBytes && !this.#isPaused) {
      this.#isPaused = true
      this.#source.pause()
    }
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  fail(error: Error): void {
    if (!this.#isEnded) this.#error = error
    this.end()
  }

  /** Nobody reads any more: what still comes is dropped. */
  discard(): void {
    this.end()
    this.#chunks = []
    if (this.#isPaused) this.#source.resume()
    this.#isPaused = false
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks
      this.#chunks = []
      for (const chunk of chunks) {
        yield chunk
        this.#bytes -= chunk.length
        if (this.#isPaused && this.#bytes <= resumeAtBytes) {
          this.#isPaused = false
          this.#source.resume()
        }
      }
      if (this.#chunks.length > 0) continue
      if (this.#error !== undefined) throw this.#error
      if (this.#isEnded) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}
