import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCertificates, signClientCertificate } from './certificates.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-pki-'))
})
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

test('the authority signs a server certificate for every name of the server and an admin in system:masters', async () => {
  const { ca, server, admin } = await openCertificates(dataDir, '192.0.2.7')
  const authority = new X509Certificate(ca.certificate)
  const serverCertificate = new X509Certificate(server.certificate)
  expect(serverCertificate.verify(authority.publicKey)).toBe(true)
  for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) {
    expect(serverCertificate.checkIP(ip)).toBe(ip)
  }
  for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc.cluster.local']) {
    expect(serverCertificate.checkHost(name)).toBe(name)
  }
  const adminCertificate = new X509Certificate(admin.certificate)
  expect(adminCertificate.verify(authority.publicKey)).toBe(true)
  expect(adminCertificate.subject).toBe('O=system:masters\nCN=kubernetes-admin')
})

test('certificates are kept, keys only for their owner', async () => {
  const first = await openCertificates(dataDir, '127.0.0.1')
  const proxy = await first.frontProxy()
  const again = await openCertificates(dataDir, '127.0.0.1')
  expect({ ...again, frontProxy: await again.frontProxy() }).toEqual({
    ...first,
    frontProxy: proxy,
  })
  for (const name of ['ca', 'server', 'admin']) {
    expect((await stat(join(dataDir, 'pki', `${name}.key`))).mode & 0o777).toBe(0o600)
  }
})

test('a server certificate that lacks a name, is damaged or has lost its key is made anew by the same authority', async () => {
  const first = await openCertificates(dataDir, '127.0.0.1')
  const renamed = await openCertificates(dataDir, 'api.example')
  expect(renamed.ca).toEqual(first.ca)
  expect(renamed.admin).toEqual(first.admin)
  expect(new X509Certificate(renamed.server.certificate).checkHost('api.example')).toBeDefined()
  await writeFile(join(dataDir, 'pki', 'server.crt'), 'damaged')
  await writeFile(join(dataDir, 'pki', 'admin.key'), first.ca.key)
  const repaired = await openCertificates(dataDir, 'api.example')
  expect(repaired.ca).toEqual(first.ca)
  expect(repaired.server).not.toEqual(renamed.server)
  expect(repaired.admin).not.toEqual(first.admin)
  expect(await readFile(join(dataDir, 'pki', 'server.crt'), 'utf8')).toBe(
    repaired.server.certificate,
  )
})

test('a client certificate carries any user and groups', async () => {
  const { ca } = await openCertificates(dataDir, '127.0.0.1')
  const pair = await signClientCertificate(ca, 'system:node:n, 1', ['system:nodes', 'b=c'])
  const { subject } = new X509Certificate(pair.certificate).toLegacyObject()
  expect(subject).toMatchObject({ CN: 'system:node:n, 1', O: ['system:nodes', 'b=c'] })
})
