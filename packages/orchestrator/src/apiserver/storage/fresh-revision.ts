// The store's revision as it is now, read for many at once: who asks in one turn of the event loop shares a read that begins after all of
// them asked, so each gets a revision that is not older than its question.
import type { Store } from '../store.ts'

export class FreshRevision {
  readonly #store: Store
  #next: Promise<number> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  read(): Promise<number> {
    this.#next ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#next = undefined
        this.#store.currentRevision().then(resolve, reject)
      })
    })
    return this.#next
  }
}
