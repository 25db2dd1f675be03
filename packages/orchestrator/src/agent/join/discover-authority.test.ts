// Whom a machine that joins comes to trust, where somebody else sits between it and the cluster.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificateKeyHash } from '../../apiserver/pki/ca-hash.ts'
import { openCertificates } from '../../apiserver/pki/certificates.ts'
import { discoverAuthority } from './discover-authority.ts'

let folder: string
let right: string
let other: string
let server: Server
let url: string
let told: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-authority-'))
  right = (await openCertificates(join(folder, 'right'), '127.0.0.1')).ca.certificate
  const between = await openCertificates(join(folder, 'other'), '127.0.0.1')
  other = between.ca.certificate
  const { key, certificate: cert } = between.server
  server = createServer({ key, cert }, (_request, response) => {
    const data = Buffer.from(told).toString('base64')
    const kubeconfig = { clusters: [{ cluster: { 'certificate-authority-data': data } }] }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'cluster-info', namespace: 'kube-public' },
        data: { kubeconfig: JSON.stringify(kubeconfig) },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

test('an authority that somebody added to the right one is not believed', async () => {
  const hash = certificateKeyHash(right)
  for (const text of [right + other, other + right]) {
    told = text
    expect((await discoverAuthority(url, [hash])).trim()).toBe(right.trim())
  }
  told = right + other
  const both = await discoverAuthority(url, [hash, certificateKeyHash(other)])
  expect(both.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
})

test('another authority alone is refused', async () => {
  told = other
  const asked = discoverAuthority(url, [certificateKeyHash(right)])
  await expect(asked).rejects.toThrow(`is another (${certificateKeyHash(other)})`)
})
