// Tokens that mean a user by being known: every member learns of them from the log and forgets them by its own clock, each use giving them
// their full time again. They are not part of the state: after a restart clients ask for new ones.

/** Tokens that are kept; the one unused longest makes room. */
export const tokensMax = 100_000
/** Letters of a token before its dot. */
export const tokenPrefixSize = 16

interface Grant {
  readonly user: string
  expiresMs: number
}

export class SimpleTokens {
  readonly #ttlMs: number
  /** In the order of their last use, so of their expiry too. */
  readonly #grants = new Map<string, Grant>()

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#grants.size
  }

  grant(token: string, user: string, nowMs: number): void {
    this.#forgetExpired(nowMs)
    if (this.#grants.size >= tokensMax) {
      for (const [oldest] of this.#grants) {
        this.#grants.delete(oldest)
        break
      }
    }
    this.#grants.set(token, { user, expiresMs: nowMs + this.#ttlMs })
  }

  /** Whose token it is; its time starts anew. */
  use(token: string, nowMs: number): string | undefined {
    const grant = this.#grants.get(token)
    if (grant === undefined) return undefined
    this.#grants.delete(token)
    if (grant.expiresMs <= nowMs) return undefined
    grant.expiresMs = nowMs + this.#ttlMs
    this.#grants.set(token, grant)
    return grant.user
  }

  forgetUser(user: string): void {
    for (const [token, grant] of this.#grants) if (grant.user === user) this.#grants.delete(token)
  }

  clear(): void {
    this.#grants.clear()
  }

  #forgetExpired(nowMs: number): void {
    for (const [token, grant] of this.#grants) {
      if (grant.expiresMs > nowMs) return
      this.#grants.delete(token)
    }
  }
}

export function simpleTokenOf(prefix: string, index: number): string {
  return `${prefix}.${index}`
}

/** The log index at which the token was made; undefined for what is no such token. */
export function tokenIndex(token: string): number | undefined {
  const match = /^[A-Za-z]{16}\.(\d{1,15})$/.exec(token)
  return match === null ? undefined : Number(match[1])
}
