// What the options say about passwords and tokens. --auth-token is 'simple', or 'jwt' with its options.
import { readFileSync } from 'node:fs'
import { KvError } from '../../errors.ts'
import { parseGoDuration } from '../../go-duration.ts'
import type { MemberOptions } from '../member-options.ts'
import { JwtTokens } from './jwt-tokens.ts'
import { bcryptCosts } from './passwords.ts'

export interface AuthSettings {
  readonly bcryptCost: number
  readonly tokenTtlMs: number
  /** Undefined: tokens are simple ones. */
  readonly jwt: JwtTokens | undefined
}

const defaultTtlMs = 300_000

type AuthOptions = Pick<
  MemberOptions,
  'authToken' | 'bcryptCost' | 'authTokenTtlSeconds' | 'onWarning'
>

/** Throws an error that names the option at fault. Reads key files. */
export function readAuthSettings(options: AuthOptions): AuthSettings {
  const { authToken = 'simple', onWarning } = options
  const { min, max, standard } = bcryptCosts
  let { bcryptCost = standard, authTokenTtlSeconds = defaultTtlMs / 1000 } = options
  // As etcd does: a wrong number is no reason not to start.
  if (!(bcryptCost >= min && bcryptCost <= max)) {
    onWarning?.(`--bcrypt-cost ${bcryptCost} is not from ${min} to ${max}; taking ${standard}`)
    bcryptCost = standard
  }
  if (!(authTokenTtlSeconds > 0)) {
    onWarning?.(`--auth-token-ttl ${authTokenTtlSeconds} is not above 0; taking 300`)
    authTokenTtlSeconds = defaultTtlMs / 1000
  }
  const jwt = readTokenSettings(authToken)
  return { bcryptCost, tokenTtlMs: authTokenTtlSeconds * 1000, jwt }
}

/** Undefined: simple tokens. Throws an Error that names the option at fault. Reads the key files. */
export function readTokenSettings(text: string): JwtTokens | undefined {
  const [type, ...pairs] = text.split(',')
  if (type === 'simple') return undefined
  if (type !== 'jwt') throw badOption(`--auth-token '${text}': the type must be simple or jwt`)
  const options = new Map<string, string>()
  for (const pair of pairs) {
    const [name, value, more] = pair.split('=')
    const isNew = name !== undefined && !options.has(name)
    if (value === undefined || more !== undefined || !isNew) {
      throw badOption(`--auth-token '${text}': options are name=value, each once`)
    }
    options.set(name, value)
  }
  const method = options.get('sign-method')
  if (method === undefined) throw badOption(`--auth-token '${text}': sign-method is missing`)
  const fileOf = (name: string): Uint8Array | undefined => {
    const path = options.get(name)
    return path === undefined ? undefined : readFileSync(path)
  }
  const ttl = options.get('ttl')
  try {
    return new JwtTokens({
      method,
      publicKey: fileOf('pub-key'),
      privateKey: fileOf('priv-key'),
      ttlMs: ttl === undefined ? defaultTtlMs : durationMs(ttl),
    })
  } catch (cause) {
    throw badOption(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function badOption(message: string, cause?: unknown): KvError {
  return new KvError('INTERNAL', { message, cause })
}

/** A duration as Go writes it: 5m, 1h30m, 1.5s. */
function durationMs(text: string): number {
  const total = parseGoDuration(text) ?? 0
  if (total <= 0) throw new Error(`--auth-token: ttl '${text}' is no duration`)
  return total
}
