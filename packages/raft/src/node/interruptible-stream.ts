// A stream that can be told to end although its source says nothing, as when the connection behind it is dead and nobody knows yet.
import { RaftError } from '../errors.ts'

export interface InterruptibleStream<From> {
  readonly chunks: (from: From) => AsyncIterable<Uint8Array>
  /** Whoever reads gets an error, now or with the next read. */
  readonly interrupt: () => void
}

export function interruptible<From>(
  open: (from: From) => AsyncIterable<Uint8Array>,
): InterruptibleStream<From> {
  let error: Error | undefined
  let fail: (error: Error) => void = () => {}
  const interrupt = (): void => {
    error = new RaftError('OVERLOADED', 'A newer stream has taken the place of this one')
    fail(error)
  }
  async function* chunks(from: From): AsyncGenerator<Uint8Array> {
    const source = open(from)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
          fail = reject
          if (error === undefined) source.next().then(resolve, reject)
          else reject(error)
        })
        if (next.done === true) return
        yield next.value
      }
    } finally {
      // One that hangs would hang here too.
      if (error === undefined) await source.return?.()
    }
  }
  return { chunks, interrupt }
}
