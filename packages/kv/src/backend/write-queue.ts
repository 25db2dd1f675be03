// Runs asynchronous writes one after the other. The first failure stays: storage that failed once is not written again.

export class WriteQueue {
  #last: Promise<void> = Promise.resolve()
  #failure: { readonly reason: unknown } | undefined

  run(write: () => Promise<void>): Promise<void> {
    const next = this.#runAfter(this.#last, write)
    // The caller of run() hears of the failure; the queue only goes on.
    this.#last = next.catch(() => undefined)
    return next
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
