// The main thread's handle on the load worker.
import { Worker } from 'node:worker_threads'
import type { LoadPlan, LoadResult, WatchPlan } from './load-plan.ts'

export class Generator {
  readonly #worker = new Worker(new URL('./load-worker.mjs', import.meta.url))

  /** One at a time. */
  run(plan: LoadPlan | WatchPlan): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(error)
      this.#worker.once('error', onError)
      this.#worker.once('message', (answer: { result?: LoadResult; error?: string }) => {
        this.#worker.off('error', onError)
        if (answer.result === undefined) reject(new Error(answer.error))
        else resolve(answer.result)
      })
      this.#worker.postMessage(plan, [])
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
