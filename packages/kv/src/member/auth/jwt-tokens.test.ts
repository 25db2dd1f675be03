import { createSign, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTokenSettings } from './auth-settings.ts'
import { JwtTokens } from './jwt-tokens.ts'

const nowMs = 1_700_000_000_000
const ttlMs = 60_000
const claims = { username: 'ann', revision: 7 }

interface Pair {
  readonly publicKey: Buffer
  readonly privateKey: Buffer
}

const asPem = ({ publicKey, privateKey }: KeyPairKeyObjectResult): Pair => ({
  publicKey: Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })),
  privateKey: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
})
const rsa = asPem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const ed = asPem(generateKeyPairSync('ed25519'))
const secret: Pair = { publicKey: Buffer.from('secret'), privateKey: Buffer.from('secret') }
const ec = (namedCurve: string): Pair => asPem(generateKeyPairSync('ec', { namedCurve }))

const methods: [string, Pair][] = [
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', ec('P-256')],
  ['ES384', ec('P-384')],
  ['ES512', ec('P-521')],
  ['HS256', secret],
  ['HS384', secret],
  ['HS512', secret],
  ['EdDSA', ed],
]

test.each(methods)('%s: what was issued is known again until it expires', (method, pair) => {
  const issuer = new JwtTokens({ method, ...pair, ttlMs })
  const token = issuer.issue(claims, nowMs)
  for (const judge of [issuer, new JwtTokens({ method, ...pair, ttlMs })]) {
    expect(judge.judge(token, nowMs)).toMatchObject(claims)
    expect(judge.judge(token, nowMs + ttlMs - 1)).toMatchObject(claims)
    expect(judge.judge(token, nowMs + ttlMs)).toBeUndefined()
    expect(judge.judge(token, nowMs + ttlMs)).toBeUndefined()
  }
  const other = method.startsWith('HS')
    ? { publicKey: undefined, privateKey: Buffer.from('another') }
    : { publicKey: ec('P-256').publicKey, privateKey: undefined }
  if (method === 'ES256' || method.startsWith('HS')) {
    expect(new JwtTokens({ method, ...other, ttlMs }).judge(token, nowMs)).toBeUndefined()
  }
})

test('a token that was changed, is of another method or is none is not known', () => {
  const tokens = new JwtTokens({ method: 'RS256', ...rsa, ttlMs })
  const token = tokens.issue(claims, nowMs)
  const [head = '', body = '', signature = ''] = token.split('.')
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const root = part({ username: 'root', revision: 7 })
  const none = part({ alg: 'none', typ: 'JWT' })
  const confused = new JwtTokens({ method: 'HS256', ...rsa, privateKey: rsa.publicKey, ttlMs })
  for (const wrong of [
    `${head}.${root}.${signature}`,
    `${none}.${root}.`,
    confused.issue(claims, nowMs),
    `${head}.${body}`,
    `${token}.x`,
    '',
    'x.y.z',
    'x'.repeat(10_000),
  ]) {
    expect(tokens.judge(wrong, nowMs), wrong.slice(0, 40)).toBeUndefined()
  }
  const signed = `${head}.${part({ username: 5, revision: '7' })}`
  const wrongClaims = createSign('sha256').update(signed).sign(rsa.privateKey, 'base64url')
  expect(tokens.judge(`${signed}.${wrongClaims}`, nowMs)).toBeUndefined()
})

test('with the public key alone tokens are judged, and none is issued', () => {
  const issuer = new JwtTokens({ method: 'PS256', ...rsa, ttlMs })
  const judge = new JwtTokens({ method: 'PS256', ...rsa, privateKey: undefined, ttlMs })
  expect(judge.judge(issuer.issue(claims, nowMs), nowMs)).toMatchObject(claims)
  expect(() => judge.issue(claims, nowMs)).toThrow(
    'auth: token signing attempted with verify-only key',
  )
})

test('--auth-token names what is wrong with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-jwt-'))
  const path = join(folder, 'key.pem')
  writeFileSync(path, rsa.privateKey)
  try {
    expect(readTokenSettings('simple')).toBeUndefined()
    const read = readTokenSettings(`jwt,priv-key=${path},sign-method=RS256,ttl=1h30m`)
    expect(read?.judge(read.issue(claims, nowMs), nowMs + 5_399_000)).toMatchObject(claims)
    for (const [text, message] of [
      ['other', 'the type must be simple or jwt'],
      ['jwt', 'sign-method is missing'],
      ['jwt,sign-method=RS256', 'pub-key or priv-key is missing'],
      ['jwt,sign-method=none', "unknown sign-method 'none'"],
      [`jwt,sign-method=ES256,priv-key=${path}`, 'not one for sign-method ES256'],
      [`jwt,sign-method=RS256,priv-key=${path},ttl=5 minutes`, "ttl '5 minutes'"],
      ['jwt,sign-method=RS256,priv-key=/nowhere', '/nowhere'],
      ['jwt,sign-method', 'options are name=value'],
    ] as const) {
      expect(() => readTokenSettings(text), text).toThrow(message)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
