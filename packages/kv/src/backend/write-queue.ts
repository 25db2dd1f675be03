// Runs asynchronous writes one after the other. The first failure stays: storage that failed once is not written again.

export class WriteQueue {
  /** Never rejects: who called run() hears of a failure, later writes see #failure. */
  #last: Promise<void> = Promise.resolve()
  #failure: { readonly reason: unknown } | undefined

  run(write: () => Promise<void>): Promise<void> {
    const written = this.#runAfter(this.#last, write)
    this.#last = settled(written)
    return written
  }

  async #runAfter(before: Promise<void>, write: () => Promise<void>): Promise<void> {
    await before
    if (this.#failure !== undefined) throw this.#failure.reason
    try {
      await write()
    } catch (reason) {
      this.#failure = { reason }
      throw reason
    }
  }
}

async function settled(work: Promise<void>): Promise<void> {
  await Promise.allSettled([work])
}
