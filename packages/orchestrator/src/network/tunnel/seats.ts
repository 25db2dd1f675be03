// Of connections that stay open there are so many for each name and no more. Who gets none is told so.
import { ApiError } from '../../client/api-client.ts'

export class Seats {
  readonly #max: number
  readonly #what: string
  readonly #taken = new Map<string, number>()

  /** `what`: of one name, in the plural. */
  constructor(max: number, what: string) {
    this.#max = max
    this.#what = what
  }

  /** Returns the function that gives the seat back. Throws ApiError TooManyRequests. */
  take(name: string): () => void {
    const taken = this.#taken.get(name) ?? 0
    if (taken >= this.#max) {
      const text = `${name} has ${taken} ${this.#what} already, please try again later`
      throw new ApiError(429, 'TooManyRequests', text, { retryAfterSeconds: 5 })
    }
    this.#taken.set(name, taken + 1)
    let isTaken = true
    return () => {
      if (isTaken) this.#leave(name)
      isTaken = false
    }
  }

  #leave(name: string): void {
    const left = (this.#taken.get(name) ?? 1) - 1
    if (left === 0) this.#taken.delete(name)
    else this.#taken.set(name, left)
  }
}
