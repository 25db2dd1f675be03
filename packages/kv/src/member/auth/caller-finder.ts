// From credentials to a caller. A token that is newer than this member's view of the log waits until the member has caught up with it.
import { stranger, type Caller } from '../../auth/caller.ts'
import type { AuthMachine } from '../../auth/auth-machine.ts'
import { tokenIndex } from '../../auth/simple-tokens.ts'
import { KvError } from '../../errors.ts'
import type { MemberClock } from '../member-clock.ts'
import type { Done } from '../types.ts'
import type { Credentials } from './auth-api.ts'
import type { JwtTokens } from './jwt-tokens.ts'

const waitPollMs = 10
/** How long a token may be ahead of this member, and requests that wait so. */
const waitMsMax = 5000
const waitingMax = 10_000

export interface CallerFinderOptions {
  readonly machine: AuthMachine
  readonly clock: MemberClock
  /** Undefined: tokens are simple ones. */
  readonly jwt: JwtTokens | undefined
  readonly appliedIndex: () => number
}

export class CallerFinder {
  readonly #options: CallerFinderOptions
  #waitingCount = 0

  constructor(options: CallerFinderOptions) {
    this.#options = options
  }

  /** Calls back at once unless the token is ahead. */
  find({ token = '', commonName }: Credentials, done: Done<Caller>): void {
    const { store } = this.#options.machine
    if (!store.isEnabled) done(undefined, stranger)
    else if (token !== '') this.#findByToken(token.replace(/^Bearer /, ''), done)
    else if (commonName === undefined) done(undefined, stranger)
    else done(undefined, { kind: 'user', name: commonName, revision: store.revision })
  }

  #findByToken(token: string, done: Done<Caller>): void {
    const { jwt, clock, appliedIndex } = this.#options
    const index = jwt === undefined ? tokenIndex(token) : undefined
    if (index !== undefined && index > appliedIndex()) this.#wait(token, index, done)
    else {
      const caller = jwt === undefined ? this.#simple(token) : judge(jwt, token, clock)
      if (caller === undefined) done(new KvError('INVALID_AUTH_TOKEN'), undefined)
      else done(undefined, caller)
    }
  }

  #simple(token: string): Caller | undefined {
    const { machine, clock } = this.#options
    const name = machine.tokens.use(token, clock.now())
    if (name === undefined) return undefined
    return { kind: 'user', name, revision: machine.store.revision }
  }

  #wait(token: string, index: number, done: Done<Caller>): void {
    if (this.#waitingCount >= waitingMax) {
      done(new KvError('TOO_MANY_REQUESTS'), undefined)
      return
    }
    const { clock, appliedIndex } = this.#options
    const deadlineMs = clock.now() + waitMsMax
    this.#waitingCount++
    const look = (): void => {
      if (index > appliedIndex() && clock.now() < deadlineMs) {
        clock.setTimer(waitPollMs, look)
        return
      }
      this.#waitingCount--
      const caller = this.#simple(token)
      const error = caller === undefined ? new KvError('INVALID_AUTH_TOKEN') : undefined
      done(error, caller)
    }
    clock.setTimer(waitPollMs, look)
  }
}

function judge(jwt: JwtTokens, token: string, clock: MemberClock): Caller | undefined {
  const claims = jwt.judge(token, clock.wallMs?.() ?? clock.now())
  if (claims === undefined) return undefined
  return { kind: 'user', name: claims.username, revision: claims.revision }
}
