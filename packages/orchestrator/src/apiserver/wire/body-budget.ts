// How much of request bodies is held at once, by whom, over all connections. Who goes beyond it is told to come again: nothing waits for room,
// so that those who wait cannot hold up those who have it.
import { ApiError } from '../../client/api-client.ts'

/** Bytes, from the first one that arrives to the end of the answer. */
export interface BodyLimits {
  readonly all: number
  /** Of one user. */
  readonly user: number
  /** Of requests of which it is not known yet who sent them. */
  readonly unknown: number
}

const limitsDefault: BodyLimits = {
  all: 128 * 1024 * 1024,
  user: 64 * 1024 * 1024,
  unknown: 32 * 1024 * 1024,
}
const nobody = ''

export class BodyBudget {
  readonly #limits: BodyLimits
  readonly #users = new Map<string, number>()
  #all = 0

  constructor(limits: BodyLimits = limitsDefault) {
    this.#limits = limits
  }

  /** Of all bodies. */
  get heldBytes(): number {
    return this.#all
  }

  /** false: it is too much, and nothing was taken. `user` '': it is not known who. */
  take(user: string, bytes: number): boolean {
    const held = (this.#users.get(user) ?? 0) + bytes
    const max = user === nobody ? this.#limits.unknown : this.#limits.user
    if (held > max || this.#all + bytes > this.#limits.all) return false
    this.#users.set(user, held)
    this.#all += bytes
    return true
  }

  give(user: string, bytes: number): void {
    const left = (this.#users.get(user) ?? 0) - bytes
    if (left > 0) this.#users.set(user, left)
    else this.#users.delete(user)
    this.#all -= bytes
  }
}

/** What one request holds. */
export class BodyClaim {
  readonly #budget: BodyBudget
  #user = nobody
  #bytes = 0

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  /** false: it is too much. */
  add(bytes: number): boolean {
    if (!this.#budget.take(this.#user, bytes)) return false
    this.#bytes += bytes
    return true
  }

  /** It is known now who sent the request. false: it is too much, and nothing is held any more. */
  assign(user: string): boolean {
    const bytes = this.#bytes
    this.release()
    this.#user = user
    return bytes === 0 || this.add(bytes)
  }

  release(): void {
    if (this.#bytes > 0) this.#budget.give(this.#user, this.#bytes)
    this.#bytes = 0
  }
}

export const tooManyBodies = (): ApiError =>
  new ApiError(
    429,
    'TooManyRequests',
    'The server holds too many request bodies, please try again later.',
    { retryAfterSeconds: 1 },
  )
