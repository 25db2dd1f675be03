// A wire whose calls are a user's: it gets a token for the password, and a new one whenever a server does not take the old one any more. A
// request that was refused for its token did nothing, so it is made again, writes too.
import { KvError, kvErrors } from '../errors.ts'
import type { KvErrorCode } from '../errors.ts'
import { decodeMessage, encodeAuthRequest } from '../proto/index.ts'
import type { WatchResponse } from '../proto/messages.ts'
import { AttemptError } from './wire.ts'
import type { AttemptOptions, WatchChannel, WatchChannelEvents, Wire, WireMethod } from './wire.ts'

export interface User {
  readonly name: string
  readonly password: string
}

/** What a server says to an old token, or to none. */
const staleCodes: ReadonlySet<KvErrorCode> = new Set<KvErrorCode>([
  'USER_EMPTY',
  'INVALID_AUTH_TOKEN',
  'AUTH_OLD_REVISION',
])
const staleTexts = [...staleCodes].map((code) => kvErrors[code][1])
/** New tokens for one request, while users and roles change again and again. */
const attemptsMax = 3
const signInTimeoutMs = 10_000

export class SignedInWire implements Wire {
  /** A token that is not taken any more ends it: whoever asks for a stream has another way. */
  readonly stream: Wire['stream']
  readonly #wire: Wire
  readonly #user: User
  #signingIn: Promise<void> | undefined
  /** Tokens had so far. */
  #tokenCount = 0
  /** Watches refused for their token in a row. */
  #refusedWatches = 0

  constructor(wire: Wire, user: User) {
    this.#wire = wire
    this.stream = wire.stream?.bind(wire)
    this.#user = user
  }

  /** Rejects with AttemptError. One sign-in serves all that wait. A cluster without users asks for no token. */
  signIn(signal?: AbortSignal): Promise<void> {
    this.#signingIn ??= this.#signIn(signal).finally(() => {
      this.#signingIn = undefined
    })
    return this.#signingIn
  }

  async attempt(
    method: WireMethod,
    body: Uint8Array,
    options: AttemptOptions,
  ): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      // Until then the wire has no token to show.
      if (this.#signingIn !== undefined) await this.#signingIn
      const shown = this.#tokenCount
      try {
        return await this.#wire.attempt(method, body, options)
      } catch (reason) {
        const isStale = reason instanceof AttemptError && staleCodes.has(reason.error.code)
        if (!isStale || attempt === attemptsMax) throw reason
      }
      // Others may have met the same and have a new one by now.
      if (shown === this.#tokenCount) await this.signIn()
    }
  }

  openWatchChannel(events: WatchChannelEvents): Promise<WatchChannel> {
    let isOver = false
    const opened = this.#wire.openWatchChannel({
      response: (response) => {
        if (isOver) return
        if (!isRefusal(response) || this.#refusedWatches >= attemptsMax) {
          if (response.created) this.#refusedWatches = 0
          events.response(response)
          return
        }
        // A new stream for all its watches: a token belongs to the stream it was shown on.
        isOver = true
        this.#refusedWatches++
        void opened.then((channel) => channel.close())
        this.signIn().then(
          () => events.lost(),
          () => events.lost(),
        )
      },
      lost: (reason) => {
        if (!isOver) events.lost(reason)
      },
    })
    return opened
  }

  setToken(token: string): void {
    this.#wire.setToken(token)
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  async #signIn(signal: AbortSignal | undefined): Promise<void> {
    this.#tokenCount++
    // An old token would be refused before the password is looked at.
    this.#wire.setToken('')
    const body = encodeAuthRequest('AuthenticateRequest', this.#user)
    const options = { signal, timeoutMs: signInTimeoutMs, endpoint: undefined }
    try {
      const reply = await this.#wire.attempt('Auth/Authenticate', body, options)
      const { token } = decodeMessage('AuthenticateResponse', reply) as unknown as { token: string }
      this.#wire.setToken(token)
    } catch (reason) {
      const code = reason instanceof AttemptError ? reason.error.code : undefined
      if (code !== 'AUTH_NOT_ENABLED') throw reason
    }
  }
}

function isRefusal({ created, canceled, cancelReason }: WatchResponse): boolean {
  return created && canceled && staleTexts.some((text) => cancelReason.includes(text))
}

/** For connect(): signs in, and closes the wire if that fails. */
export async function signIn(wire: Wire, user: User | undefined): Promise<Wire> {
  if (user === undefined) return wire
  const signedIn = new SignedInWire(wire, user)
  try {
    await signedIn.signIn()
    return signedIn
  } catch (reason) {
    await wire.close()
    throw reason instanceof AttemptError ? reason.error : KvError.from(reason)
  }
}
