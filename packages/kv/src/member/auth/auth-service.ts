// The Auth service of one member. Changes go through the log with their caller and are judged there; what only looks waits until this
// member has everything that was committed, and is judged here. Passwords are hashed and checked before the log, which never holds one.
import type { AuthMachine, AuthOperation } from '../../auth/auth-machine.ts'
import { encodeAuthCommand, encodeAuthentication } from '../../auth/auth-machine.ts'
import { owner, type Caller } from '../../auth/caller.ts'
import { tokenPrefixSize } from '../../auth/simple-tokens.ts'
import { KvError } from '../../errors.ts'
import {
  decodeAuthRequest,
  encodeAuthRequest,
  type AuthRequest,
  type AuthRequestName,
} from '../../proto/index.ts'
import type { ResponseHeader } from '../../proto/messages.ts'
import type { LogGate } from '../log-gate.ts'
import type { MemberClock } from '../member-clock.ts'
import type { MemberRandom } from '../member-random.ts'
import type { Done } from '../types.ts'
import type { AuthApi, AuthCall, AuthResponses } from './auth-api.ts'
import type { JwtTokens } from './jwt-tokens.ts'
import type { Passwords } from './passwords.ts'

/** How often users and roles may change while one password is checked. */
const attemptsMax = 10
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

export interface AuthServiceOptions {
  readonly machine: AuthMachine
  readonly gate: LogGate
  readonly clock: MemberClock
  readonly random: MemberRandom
  readonly passwords: Passwords
  /** Undefined: tokens are simple ones. */
  readonly jwt: JwtTokens | undefined
  readonly header: () => ResponseHeader
}

type Handler = (body: Uint8Array, done: Done<object>, caller: Caller) => void

export class AuthService implements AuthApi {
  readonly #options: AuthServiceOptions
  readonly #handlers: Readonly<Record<AuthCall, Handler>>

  constructor(options: AuthServiceOptions) {
    this.#options = options
    const { machine } = options
    const { permits } = machine
    this.#handlers = {
      enable: this.#change('enable'),
      disable: this.#change('disable'),
      status: this.#look('AuthStatusRequest', () => {
        const { isEnabled, revision } = machine.store
        return { enabled: isEnabled, authRevision: revision }
      }),
      authenticate: (body, done) => this.#authenticate(body, done),
      userAdd: this.#changeWithPassword('userAdd', 'AuthUserAddRequest'),
      userGet: this.#look('AuthUserGetRequest', (caller, { name = '' }) => {
        permits.seeUser(caller, name)
        return { roles: machine.store.rolesOf(name) }
      }),
      userList: this.#look('AuthUserListRequest', (caller) => {
        permits.admin(caller)
        return { users: machine.store.userNames() }
      }),
      userDelete: this.#change('userDelete'),
      userChangePassword: this.#changeWithPassword(
        'userChangePassword',
        'AuthUserChangePasswordRequest',
      ),
      userGrantRole: this.#change('userGrantRole'),
      userRevokeRole: this.#change('userRevokeRole'),
      roleAdd: this.#change('roleAdd'),
      roleGet: this.#look('AuthRoleGetRequest', (caller, { role = '' }) => {
        permits.seeRole(caller, role)
        return { perm: machine.store.knownRole(role).permissions }
      }),
      roleList: this.#look('AuthRoleListRequest', (caller) => {
        permits.admin(caller)
        return { roles: machine.store.roleNames() }
      }),
      roleDelete: this.#change('roleDelete'),
      roleGrantPermission: this.#change('roleGrantPermission'),
      roleRevokePermission: this.#change('roleRevokePermission'),
    }
  }

  call<Name extends AuthCall>(
    name: Name,
    body: Uint8Array,
    done: Done<AuthResponses[Name]>,
    caller: Caller = owner,
  ): void {
    // The table gives each call its own kind of response.
    this.#handlers[name](body, done as Done<object>, caller)
  }

  #change(operation: AuthOperation): Handler {
    return (body, done, caller) => {
      this.#options.gate.propose(
        'auth',
        encodeAuthCommand(operation, body),
        (error, result) => done(error, result && { header: result.header }),
        caller,
      )
    }
  }

  /** Who may not make the change has no work done for it. */
  #changeWithPassword(operation: AuthOperation, message: AuthRequestName): Handler {
    const propose = this.#change(operation)
    return (body, done, caller) => {
      const { gate, machine, passwords } = this.#options
      const request = decode(message, body, done)
      if (request === undefined) return
      gate.afterRead(done, () => {
        const isRefused = !attempt(() => machine.permits.admin(caller), done)
        if (isRefused) return
        const { password = '', options } = request
        const send = (hashedPassword: string): void => {
          const bare = { ...request, password: '', hashedPassword }
          propose(encodeAuthRequest(message, bare), done, caller)
        }
        if (options?.noPassword === true) send('')
        else {
          passwords.hash(password, (error, hash) => {
            if (error === undefined && hash !== undefined) send(hash)
            else done(error, undefined)
          })
        }
      })
    }
  }

  #look(message: AuthRequestName, read: (caller: Caller, request: AuthRequest) => object): Handler {
    return (body, done, caller) => {
      const request = decode(message, body, done)
      if (request === undefined) return
      this.#options.gate.afterRead(done, () => {
        let found: object = {}
        const isFound = attempt(() => {
          found = read(caller, request)
        }, done)
        if (isFound) done(undefined, { header: this.#options.header(), ...found })
      })
    }
  }

  #authenticate(body: Uint8Array, done: Done<object>, attemptNumber = 1): void {
    const request = decode('AuthenticateRequest', body, done)
    if (request === undefined) return
    const { gate, machine } = this.#options
    const { name = '', password = '' } = request
    gate.afterRead(done, () => {
      const { revision } = machine.store
      this.#checkPassword(name, password, (error) => {
        if (error !== undefined) done(error, undefined)
        else {
          this.#issue(name, revision, (failure, token) => {
            // Somebody changed users or roles meanwhile, perhaps this one's password.
            if (failure?.code === 'AUTH_OLD_REVISION' && attemptNumber < attemptsMax) {
              this.#authenticate(body, done, attemptNumber + 1)
            } else if (token === undefined) done(failure, undefined)
            else done(undefined, { header: this.#options.header(), token })
          })
        }
      })
    })
  }

  #checkPassword(name: string, password: string, done: Done<undefined>): void {
    const { machine, passwords } = this.#options
    const user = machine.store.user(name)
    if (!machine.store.isEnabled) done(new KvError('AUTH_NOT_ENABLED'), undefined)
    else if (user === undefined) done(new KvError('AUTH_FAILED'), undefined)
    else if (user.noPassword) {
      const message = 'auth: authentication failed, password was given for no password user'
      done(new KvError('INTERNAL', { message }), undefined)
    } else {
      const hash = Buffer.from(user.password).toString('latin1')
      passwords.matches(password, hash, (error, isRight) => {
        if (error === undefined && isRight !== true) done(new KvError('AUTH_FAILED'), undefined)
        else done(error, undefined)
      })
    }
  }

  #issue(name: string, revision: number, done: Done<string>): void {
    const { machine, gate, clock, jwt } = this.#options
    if (jwt === undefined) {
      const record = encodeAuthentication({ name, revision, prefix: this.#tokenPrefix() })
      const command = encodeAuthCommand('authenticate', record)
      gate.propose('auth', command, (error, result) => done(error, result?.token))
      return
    }
    if (revision !== machine.store.revision) {
      done(new KvError('AUTH_OLD_REVISION'), undefined)
      return
    }
    let token = ''
    const isMade = attempt(() => {
      token = jwt.issue({ username: name, revision }, clock.wallMs?.() ?? clock.now())
    }, done)
    if (isMade) done(undefined, token)
  }

  #tokenPrefix(): string {
    let text = ''
    while (text.length < tokenPrefixSize) {
      for (const byte of this.#options.random.bytes(tokenPrefixSize)) {
        // 208 is 4 x 52: a higher one would make some letters likelier.
        if (byte < 208 && text.length < tokenPrefixSize) text += letters[byte % letters.length]
      }
    }
    return text
  }
}

function decode(
  message: AuthRequestName,
  body: Uint8Array,
  done: Done<never>,
): AuthRequest | undefined {
  let request: AuthRequest | undefined
  attempt(() => {
    request = decodeAuthRequest(message, body)
  }, done)
  return request
}

/** Refuses with what `run` throws; true if it did not. */
function attempt(run: () => void, done: Done<never>): boolean {
  try {
    run()
    return true
  } catch (reason) {
    done(KvError.from(reason), undefined)
    return false
  }
}
