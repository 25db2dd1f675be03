import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import 'reflect-metadata'
import * as grpc from '@grpc/grpc-js'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  TestAuthority,
  type TestCertificate,
} from '../../../raft/src/transport/testing/test-authority.ts'
import { listenClients, type ClientListener } from '../api/client-listener.ts'
import { encodeFrame } from '../api/native/frame-codec.ts'
import { nativeVersion } from '../api/native/native-protocol.ts'
import { FakeMember } from '../api/testing/fake-member.ts'
import { waitFor } from '../api/testing/wait-for.ts'
import { selfSignedFiles } from './self-signed.ts'
import { openServerTls, type ServerTlsOptions } from './server-tls.ts'

let folder: string
let authority: TestAuthority
let client: TestCertificate
const listeners: ClientListener[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-tls-'))
  authority = await TestAuthority.create()
  client = await authority.sign({ commonName: 'alice', names: ['alice.test'] })
  writeFileSync(join(folder, 'ca.pem'), authority.ca)
  await writeServer('server')
})
afterAll(async () => {
  for (const listener of listeners) await listener.close()
  rmSync(folder, { recursive: true, force: true })
})

async function writeServer(commonName: string): Promise<void> {
  const { cert, key } = await authority.sign({ commonName })
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
}

interface Server {
  readonly member: FakeMember
  readonly port: number
  readonly refusals: string[]
  readonly events: string[]
}

async function open(options: Partial<ServerTlsOptions> = {}): Promise<Server> {
  const member = new FakeMember()
  const refusals: string[] = []
  const events: string[] = []
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const tls = await openServerTls(
    { ...files, ...options },
    {
      onRenewed: () => events.push('renewed'),
      onUnusable: ({ message }) => events.push(message),
    },
  )
  const onRefused = (_address: string, why: string): void => void refusals.push(why)
  const urls = ['https://127.0.0.1:0']
  const listener = await listenClients({ member, urls, tls, onRefused })
  listeners.push(listener)
  return { member, port: Number(new URL(listener.urls[0] ?? '').port), refusals, events }
}

const mutual = (): Partial<ServerTlsOptions> => ({
  trustedCaFile: join(folder, 'ca.pem'),
  clientCertAuth: true,
})

function grpcStatus(port: number, shown?: TestCertificate): Promise<unknown> {
  const ca = Buffer.from(authority.ca)
  const credentials =
    shown === undefined
      ? grpc.credentials.createSsl(ca)
      : grpc.credentials.createSsl(ca, Buffer.from(shown.key), Buffer.from(shown.cert))
  const caller = new grpc.Client(`127.0.0.1:${port}`, credentials)
  const same = (bytes: Buffer): Buffer => bytes
  const path = '/etcdserverpb.Maintenance/Status'
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000
    caller.makeUnaryRequest(path, same, same, Buffer.alloc(0), { deadline }, (error, reply) => {
      caller.close()
      if (error === null) resolve(reply)
      else reject(error)
    })
  })
}

function get(port: number, path: string, shown: Partial<TestCertificate> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ca: authority.ca, agent: false, ...shown }
    const asked = request(options, (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(body))
    })
    asked.on('error', reject)
    asked.end()
  })
}

interface Shaken {
  readonly alpn: TLSSocket['alpnProtocol']
  readonly protocol: string | null
  readonly cipher: string
  readonly subject: string | undefined
}

/** What the handshake agreed on; rejects when there is none. */
function shake(port: number, options: ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.ca, ...options }, () => {
      resolve({
        alpn: socket.alpnProtocol,
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        subject: socket.getPeerX509Certificate()?.subject,
      })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('gRPC, HTTP and the native protocol are served on one TLS port, and ALPN tells gRPC apart', async () => {
  const { port } = await open()
  await grpcStatus(port)
  expect(await get(port, '/health')).toBe('{"health":"true","reason":""}')
  const alpn = async (...protocols: string[]): Promise<Shaken['alpn']> =>
    (await shake(port, { ALPNProtocols: protocols })).alpn
  expect(await alpn('h2')).toBe('h2')
  expect(await alpn('h2', 'http/1.1')).toBe('http/1.1')
  await expect(alpn('spdy/3')).rejects.toThrow(/no application protocol/i)
  const socket = new WebSocket(`wss://127.0.0.1:${port}/native`, { ca: authority.ca })
  const greeted = new Promise((resolve) => socket.once('message', resolve))
  socket.on('open', () => socket.send(encodeFrame([[0, 'hello', nativeVersion]])))
  await greeted
  socket.terminate()
})

test('the common name of a verified certificate speaks for gRPC and native callers, not for the gateway', async () => {
  const { port, member } = await open(mutual())
  await grpcStatus(port, client)
  await get(port, '/v3/kv/range', client)
  expect(member.credentials.map(({ commonName }) => commonName)).toEqual(['alice'])
  const socket = new WebSocket(`wss://127.0.0.1:${port}/native`, { ca: authority.ca, ...client })
  const opened = new Promise((resolve) => socket.once('open', resolve))
  socket.on('open', () => socket.send(encodeFrame([[0, 'hello', nativeVersion]])))
  await waitFor(() => expect(member.credentials).toHaveLength(2))
  expect(member.credentials[1]?.commonName).toBe('alice')
  // The server may know it before the client does.
  await opened
  socket.terminate()
})

test('an authority alone asks for certificates, but then no name speaks for anybody', async () => {
  const { port, member, refusals } = await open({ trustedCaFile: join(folder, 'ca.pem') })
  await grpcStatus(port, client)
  expect(member.credentials).toEqual([])
  await expect(get(port, '/health')).rejects.toThrow()
  expect(refusals).toEqual(["tls: client didn't provide a certificate"])
})

test('certificates of strangers, revoked ones and those with other names are refused with a reason', async () => {
  const stranger = await (await TestAuthority.create('stranger')).sign({ commonName: 'alice' })
  const one = await open(mutual())
  await expect(get(one.port, '/health', stranger)).rejects.toThrow()
  expect(one.refusals[0]).toMatch(/^tls: failed to verify certificate: /)

  const crlFile = join(folder, 'revoked.pem')
  writeFileSync(crlFile, await revocationList(new x509.X509Certificate(client.cert)))
  const two = await open({ ...mutual(), crlFile })
  await expect(get(two.port, '/health', client)).rejects.toThrow()
  expect(two.refusals[0]).toMatch(/^transport: certificate serial [0-9a-f]+ revoked$/)
  const other = await authority.sign({ commonName: 'bob' })
  expect(await get(two.port, '/health', other)).toContain('true')

  const rules = [{ allowedCommonNames: ['alice'] }, { allowedHostnames: ['alice.test'] }]
  for (const rule of rules) {
    const three = await open({ ...mutual(), ...rule })
    expect(await get(three.port, '/health', client)).toContain('true')
    await expect(get(three.port, '/health', other)).rejects.toThrow()
    expect(three.refusals).toEqual(['client certificate authentication failed'])
  }
})

async function revocationList(certificate: x509.X509Certificate): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: certificate.issuer,
      thisUpdate: new Date(),
      nextUpdate: new Date(),
      entries: [{ serialNumber: certificate.serialNumber }],
      signingAlgorithm: algorithm,
      signingKey: keys.privateKey,
    },
    crypto,
  )
  return list.toString('pem')
}

test("versions and suites are those of the flags, by Go's names", async () => {
  const modern = await open({ minVersion: 'TLS1.3' })
  await expect(shake(modern.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
  expect((await shake(modern.port)).protocol).toBe('TLSv1.3')
  const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']
  const old = await open({ maxVersion: 'TLS1.2', cipherSuites })
  expect((await shake(old.port)).cipher).toBe('ECDHE-ECDSA-AES128-GCM-SHA256')
  await expect(open({ cipherSuites: ['TLS_NOTHING'] })).rejects.toThrow(
    '--cipher-suites: unexpected TLS cipher suite "TLS_NOTHING"',
  )
  await expect(open({ minVersion: 'TLS1.3', maxVersion: 'TLS1.2' })).rejects.toThrow(
    'min version (TLS1.3) is greater than max version (TLS1.2)',
  )
})

test('renewed files hold for new connections, open ones stay, and a half renewed pair is not taken', async () => {
  const { port, events } = await open()
  const stays = connect({ host: '127.0.0.1', port, ca: authority.ca })
  await new Promise((resolve) => stays.once('secureConnect', resolve))
  const shownName = async (): Promise<string | undefined> => (await shake(port)).subject
  expect(await shownName()).toBe('CN=server')
  const old = readFileSync(join(folder, 'key.pem'))
  const { key } = await authority.sign({ commonName: 'half' })
  writeFileSync(join(folder, 'key.pem'), key)
  await waitFor(() => expect(events[0]).toContain('is not the key of --cert-file'))
  expect(await shownName()).toBe('CN=server')
  writeFileSync(join(folder, 'key.pem'), old)
  await waitFor(() => expect(events).toContain('renewed'))
  await writeServer('renewed')
  await waitFor(async () => expect(await shownName()).toBe('CN=renewed'))
  stays.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const answer = await new Promise<string>((resolve) => {
    stays.once('data', (chunk: Buffer) => resolve(chunk.toString()))
  })
  expect(answer).toContain('200 OK')
  await writeServer('server')
})

test('a certificate that a member signs itself is kept for its user alone and used again', async () => {
  const directory = join(folder, 'fixtures', 'client')
  const files = await selfSignedFiles(directory, ['127.0.0.1', 'localhost'])
  expect(statSync(files.keyFile).mode & 0o777).toBe(0o600)
  const cert = readFileSync(files.certFile, 'utf8')
  const { port } = await open(files)
  expect((await shake(port, { ca: cert })).subject).toBe('O=balsa')
  await selfSignedFiles(directory, ['127.0.0.1'])
  expect(readFileSync(files.certFile, 'utf8')).toBe(cert)
  await selfSignedFiles(directory, ['127.0.0.1', 'other.test'])
  expect(readFileSync(files.certFile, 'utf8')).not.toBe(cert)
})

test('files that cannot be used are refused by flag', async () => {
  await expect(open({ certFile: join(folder, 'none') })).rejects.toThrow(/^--cert-file '.*none'/)
  writeFileSync(join(folder, 'empty'), '')
  await expect(open({ trustedCaFile: join(folder, 'empty') })).rejects.toThrow(
    /^--trusted-ca-file '.*empty' holds no PEM/,
  )
  await expect(open({ crlFile: join(folder, 'empty') })).rejects.toThrow(/revocation list/)
})
