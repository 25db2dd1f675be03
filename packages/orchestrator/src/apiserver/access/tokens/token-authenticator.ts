// Whose a bearer token is: each source that may know it is asked in turn. What was found is remembered for seconds, so that a client
// that sends its token with every request costs one check of a signature in that time.
import { createHash } from 'node:crypto'
import type { User } from '../user.ts'

export interface TokenUser {
  readonly user: User
  /** Those of the asked audiences that the token is for. */
  readonly audiences: readonly string[]
}

/** One kind of token. */
export interface TokenSource {
  /** It answers from memory: what it finds is not remembered, so that a token that is gone counts for nothing at once. */
  readonly isQuick?: boolean
  /**
   * undefined: not a valid token of this kind. `audiences`: whom the token must be for, one of them at least; a source whose tokens
   * name no audience takes them as for all.
   */
  authenticate(
    token: string,
    audiences: readonly string[],
  ): Promise<TokenUser | undefined> | TokenUser | undefined
}

const rememberedMs = 10_000
const rememberedMax = 4096
/** Longer ones are none. */
const tokenLengthMax = 64 * 1024

export class TokenAuthenticator {
  readonly #sources: readonly TokenSource[]
  readonly #apiAudiences: readonly string[]
  readonly #now: () => number
  readonly #remembered = new Map<string, { readonly found: TokenUser; readonly atMs: number }>()

  /** `apiAudiences`: who the apiserver is to tokens that are sent to it. */
  constructor(options: {
    readonly sources: readonly TokenSource[]
    readonly apiAudiences: readonly string[]
    readonly now: () => number
  }) {
    this.#sources = options.sources
    this.#apiAudiences = options.apiAudiences
    this.#now = options.now
  }

  /** undefined: no valid token. No `audiences`: those of the apiserver. */
  async authenticateToken(
    token: string,
    audiences: readonly string[] = [],
  ): Promise<TokenUser | undefined> {
    if (token.length > tokenLengthMax) return undefined
    const wanted = audiences.length === 0 ? this.#apiAudiences : audiences
    const key = createHash('sha256')
      .update(JSON.stringify([token, wanted]))
      .digest('base64')
    const now = this.#now()
    const remembered = this.#remembered.get(key)
    if (remembered !== undefined && now - remembered.atMs < rememberedMs) return remembered.found
    this.#remembered.delete(key)
    for (const source of this.#sources) {
      const found = await source.authenticate(token, wanted)
      if (found === undefined) continue
      if (source.isQuick !== true) this.#remember(key, found, now)
      return found
    }
    return undefined
  }

  #remember(key: string, found: TokenUser, atMs: number): void {
    if (this.#remembered.size >= rememberedMax) {
      const oldest = this.#remembered.keys().next()
      if (oldest.done !== true) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(key, { found, atMs })
  }
}
