// JSON Web Tokens (RFC 7519) as etcd makes them: signed claims `username`, `revision` and `exp`, which any member with the key can judge
// without having heard of the token. The algorithm is the configured one, never the one a token asks for.
import {
  constants,
  createPublicKey,
  createPrivateKey,
  createHmac,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { KeyObject, SignKeyObjectInput, VerifyKeyObjectInput } from 'node:crypto'
import { KvError } from '../../errors.ts'

export interface JwtSettings {
  /** RS256 to RS512, PS..., ES..., HS..., EdDSA. */
  readonly method: string
  /** PEM; for HS the secret's bytes. One of the two is enough for HS; without a private key tokens are only judged. */
  readonly publicKey: Uint8Array | undefined
  readonly privateKey: Uint8Array | undefined
  readonly ttlMs: number
}
export interface JwtClaims {
  readonly username: string
  readonly revision: number
}

/** Tokens whose signature was found good. */
const knownMax = 10_000
const tokenSizeMax = 8192

interface KnownToken extends JwtClaims {
  readonly expiresMs: number
}

export class JwtTokens {
  readonly #settings: JwtSettings
  readonly #scheme: Scheme
  readonly #known = new Map<string, KnownToken>()

  /** Throws an Error that says which setting is at fault. */
  constructor(settings: JwtSettings) {
    this.#settings = settings
    this.#scheme = schemeOf(settings)
  }

  /** `nowMs`: since 1970. Throws if there is no private key. */
  issue({ username, revision }: JwtClaims, nowMs: number): string {
    const { method, ttlMs } = this.#settings
    if (this.#scheme.sign === undefined) {
      const message = 'auth: token signing attempted with verify-only key'
      throw new KvError('INTERNAL', { message })
    }
    const exp = Math.floor((nowMs + ttlMs) / 1000)
    const head = base64url(JSON.stringify({ alg: method, typ: 'JWT' }))
    const text = `${head}.${base64url(JSON.stringify({ username, revision, exp }))}`
    return `${text}.${this.#scheme.sign(Buffer.from(text)).toString('base64url')}`
  }

  /** Undefined for a token that is not ours, or not any more. */
  judge(token: string, nowMs: number): JwtClaims | undefined {
    const known = this.#known.get(token) ?? this.#verify(token)
    if (known === undefined) return undefined
    if (known.expiresMs <= nowMs) {
      this.#known.delete(token)
      return undefined
    }
    return known
  }

  #verify(token: string): KnownToken | undefined {
    const [head, body, signature, more] = token.length <= tokenSizeMax ? token.split('.') : []
    if (head === undefined || body === undefined || signature === undefined) return undefined
    if (more !== undefined) return undefined
    if (parse(head)['alg'] !== this.#settings.method) return undefined
    const signed = Buffer.from(`${head}.${body}`)
    if (!this.#scheme.verify(signed, Buffer.from(signature, 'base64url'))) return undefined
    const { username, revision, exp, nbf, iat } = parse(body)
    if (typeof username !== 'string' || typeof revision !== 'number') return undefined
    // Signers elsewhere may leave the end out; what they set must be a time.
    for (const time of [exp, nbf, iat]) {
      if (time !== undefined && typeof time !== 'number') return undefined
    }
    const expiresMs = typeof exp === 'number' ? exp * 1000 : Infinity
    const known = { username, revision, expiresMs }
    if (this.#known.size >= knownMax) this.#known.clear()
    this.#known.set(token, known)
    return known
  }
}

interface Scheme {
  readonly sign: ((data: Buffer) => Buffer) | undefined
  verify(data: Buffer, signature: Buffer): boolean
}

function schemeOf(settings: JwtSettings): Scheme {
  const { method, publicKey, privateKey } = settings
  const match = /^(RS|PS|ES|HS)(256|384|512)$/.exec(method)
  const family = method === 'EdDSA' ? 'EdDSA' : match?.[1]
  if (family === undefined) throw new Error(`--auth-token: unknown sign-method '${method}'`)
  const digest = match === null ? undefined : `sha${match[2] ?? ''}`
  if (family === 'HS') return hmacScheme(digest ?? '', privateKey ?? publicKey)
  const secret =
    privateKey === undefined ? undefined : readKey('priv-key', privateKey, createPrivateKey)
  const open =
    publicKey === undefined
      ? secret && createPublicKey(secret)
      : readKey('pub-key', publicKey, createPublicKey)
  if (open === undefined) throw new Error('--auth-token: pub-key or priv-key is missing')
  if (open.asymmetricKeyType !== keyTypes[family]) {
    throw new Error(`--auth-token: the key is not one for sign-method ${method}`)
  }
  const padding =
    family === 'PS'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}
  const encoding = family === 'ES' ? { dsaEncoding: 'ieee-p1363' as const } : {}
  const optionsOf = (key: KeyObject): SignKeyObjectInput & VerifyKeyObjectInput => ({
    key,
    ...padding,
    ...encoding,
  })
  return {
    sign: secret && ((data) => sign(digest, data, optionsOf(secret))),
    verify: (data, signature) => verify(digest, data, optionsOf(open), signature),
  }
}

const keyTypes: Readonly<Record<string, string>> = {
  RS: 'rsa',
  PS: 'rsa',
  ES: 'ec',
  EdDSA: 'ed25519',
}

function hmacScheme(digest: string, secret: Uint8Array | undefined): Scheme {
  if (secret === undefined || secret.length === 0) {
    throw new Error('--auth-token: priv-key, which holds the secret, is missing')
  }
  const digestOf = (data: Buffer): Buffer => createHmac(digest, secret).update(data).digest()
  return {
    sign: digestOf,
    verify: (data, signature) => {
      const wanted = digestOf(data)
      return wanted.length === signature.length && timingSafeEqual(wanted, signature)
    },
  }
}

function readKey(name: string, pem: Uint8Array, read: (pem: Buffer) => KeyObject): KeyObject {
  try {
    return read(Buffer.from(pem))
  } catch (cause) {
    throw new Error(`--auth-token: ${name} is not a key in PEM`, { cause })
  }
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function parse(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
