import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture, type Answer } from '../../testing/api-fixture.ts'

const accounts = '/api/v1/namespaces/default/serviceaccounts'
const secrets = '/api/v1/namespaces/kube-system/secrets'

let api: ApiFixture
let provider: Server
let issuerUrl = ''
let folder = ''
let signOidc: (claims: Record<string, unknown>) => Promise<string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-tokens-'))
  const tokenFile = join(folder, 'tokens.csv')
  await writeFile(tokenFile, 'static-token,sam,7,"dev,""ops"""\n')
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] }
  provider = createServer((request, response) => {
    const isKeys = request.url === '/keys'
    response.end(JSON.stringify(isKeys ? keys : { jwks_uri: `${issuerUrl}/keys` }))
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  issuerUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  signOidc = async (claims) =>
    new SignJWT({ iss: issuerUrl, aud: 'balsa', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setExpirationTime('1h')
      .sign(privateKey)
  api = await ApiFixture.start({
    access: {
      tokenFile,
      oidc: { issuerUrl, clientId: 'balsa', groupsClaim: 'groups', groupsPrefix: 'oidc:' },
    },
  })
  await api.request('POST', accounts, { body: { metadata: { name: 'robot' } } })
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
  provider.close()
  await rm(folder, { recursive: true, force: true })
})

/** Who the apiserver takes the holder of `token` for. */
const whoIs = async (token: string): Promise<unknown> => {
  const { json } = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    body: { spec: { token } },
  })
  return json.status.authenticated === true ? json.status.user : json.status.error
}

const requestToken = async (spec: object): Promise<Answer> =>
  api.request('POST', `${accounts}/robot/token`, { body: { spec } })

test('a token of a service account says who it is, for whom and until when, and anybody can check it', async () => {
  const { status, json } = await requestToken({ expirationSeconds: 900 })
  expect(status).toBe(201)
  const { uid } = (await api.request('GET', `${accounts}/robot`)).json.metadata
  const document = (await api.request('GET', '/.well-known/openid-configuration')).json
  const keys = JSON.parse((await api.request('GET', '/openid/v1/jwks')).text)
  const { payload, protectedHeader } = await jwtVerify(json.status.token, createLocalJWKSet(keys), {
    issuer: document.issuer,
    audience: document.issuer,
  })
  expect(protectedHeader.kid).toBe(keys.keys[0].kid)
  expect(payload.sub).toBe('system:serviceaccount:default:robot')
  expect(payload.exp).toBe((payload.iat ?? 0) + 900)
  expect(payload['kubernetes.io']).toEqual({
    namespace: 'default',
    serviceaccount: { name: 'robot', uid },
  })
  expect(await whoIs(json.status.token)).toEqual({
    username: 'system:serviceaccount:default:robot',
    uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${payload.jti ?? ''}`] },
  })
  expect((await stat(join(api.dataDir, 'pki', 'sa.key'))).mode & 0o777).toBe(0o600)
})

test('a request for a token that makes no sense is told why', async () => {
  const message = async (spec: object): Promise<string> => (await requestToken(spec)).json.message
  expect(await message({ expirationSeconds: 60 })).toBe(
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  )
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'none' }
  expect(await message({ boundObjectRef })).toBe('pods "none" not found')
  const missing = await api.request('POST', `${accounts}/nobody/token`, { body: { spec: {} } })
  expect(missing.status).toBe(404)
})

test('a token for somebody else, or bound to a pod that is gone, is none', async () => {
  const other = (await requestToken({ audiences: ['vault'] })).json.status.token
  expect(decodeJwt(other).aud).toEqual(['vault'])
  expect(await whoIs(other)).toBe('[invalid bearer token]')
  const pods = '/api/v1/namespaces/default/pods'
  const spec = { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] }
  await api.request('POST', pods, { body: { metadata: { name: 'p' }, spec } })
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p' }
  // Two tokens, because what a token was found to be is remembered for seconds.
  const [first, second] = await Promise.all([
    requestToken({ boundObjectRef }),
    requestToken({ boundObjectRef }),
  ])
  expect(await whoIs(first.json.status.token)).toMatchObject({
    extra: { 'authentication.kubernetes.io/pod-name': ['p'] },
  })
  await api.request('DELETE', `${pods}/p?gracePeriodSeconds=0`)
  expect(await whoIs(second.json.status.token)).toBe('[invalid bearer token]')
})

test('a token secret holds a token from the start, which ends with it', async () => {
  const path = '/api/v1/namespaces/default/secrets'
  const annotations = { 'kubernetes.io/service-account.name': 'robot' }
  const body = {
    metadata: { name: 'robot-token', annotations },
    type: 'kubernetes.io/service-account-token',
  }
  const { json } = await api.request('POST', path, { body })
  const token = Buffer.from(json.data.token, 'base64').toString()
  expect(await whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:robot' })
  expect(Buffer.from(json.data['ca.crt'], 'base64').toString()).toContain('BEGIN CERTIFICATE')
})

test('a bootstrap token is its secret, until it expires or is deleted', async () => {
  const create = async (id: string, expiration: string): Promise<void> => {
    const stringData = {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:workers,system:masters',
      expiration,
    }
    const metadata = { name: `bootstrap-token-${id}` }
    const type = 'bootstrap.kubernetes.io/token'
    await api.request('POST', secrets, { body: { metadata, type, stringData } })
  }
  await create('abcdef', '2999-01-01T00:00:00Z')
  await create('ghijkl', '2001-01-01T00:00:00Z')
  expect(await whoIs('abcdef.0123456789abcdef')).toEqual({
    username: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'],
  })
  expect(await whoIs('ghijkl.0123456789abcdef')).toBe('[invalid bearer token]')
  expect(await whoIs('abcdef.0123456789abcdeX')).toBe('[invalid bearer token]')
  await api.request('DELETE', `${secrets}/bootstrap-token-abcdef`)
  expect(await whoIs('abcdef.0123456789abcdef')).toBe('[invalid bearer token]')
})

test('tokens of a file and of an OpenID Connect provider name users and groups', async () => {
  expect(await whoIs('static-token')).toEqual({
    username: 'sam',
    uid: '7',
    groups: ['dev', '"ops"', 'system:authenticated'],
  })
  expect(await whoIs(await signOidc({ sub: 'ann', groups: ['team'] }))).toEqual({
    username: `${issuerUrl}#ann`,
    groups: ['oidc:team', 'system:authenticated'],
  })
  expect(await whoIs(await signOidc({ sub: 'ann', aud: 'other' }))).toBe('[invalid bearer token]')
  const { privateKey } = await generateKeyPair('RS256')
  const forged = await new SignJWT({ iss: issuerUrl, aud: 'balsa', sub: 'ann' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setExpirationTime('1h')
    .sign(privateKey)
  expect(await whoIs(forged)).toBe('[invalid bearer token]')
})

test('requests are made as the holder of their token, and refused with one that is none', async () => {
  api.useSession(api.connectAs(undefined))
  const ask = async (token: string): Promise<string> => {
    const headers = { authorization: `Bearer ${token}` }
    const { status, json } = await api.request('GET', '/api/v1/nodes', { headers })
    return `${status} ${String(json.message)}`
  }
  expect(await ask('static-token')).toBe(
    '403 nodes is forbidden: User "sam" cannot list resource "nodes" in API group "" at the cluster scope',
  )
  expect(await ask('nonsense')).toBe('401 Unauthorized')
  expect(await ask('a.b.c')).toBe('401 Unauthorized')
  api.useSession(api.connectAs(api.server.certificates.admin))
})
