// A node that joined and goes on being one: what its folder says, a certificate near its end, a cluster that is not there yet.
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCertificateRequest } from '../../apiserver/pki/certificate-request.ts'
import { type KeyPair, openCertificates } from '../../apiserver/pki/certificates.ts'
import { signRequest } from '../../apiserver/pki/sign-request.ts'
import { type Cluster, startCluster } from '../../cluster.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import { joinNode, type JoinOptions } from './join-node.ts'
import { certificateTimes, loadNodeCertificate, saveNodeCertificate } from './node-certificate.ts'

let folder: string
let cluster: Cluster
let authority: KeyPair

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-joined-'))
  const dataDir = join(folder, 'cluster')
  await mkdir(dataDir)
  cluster = await startCluster({ agents: 0, dataDir })
  authority = (await openCertificates(dataDir, '127.0.0.1')).ca
})
afterAll(async () => {
  await cluster.close()
  await rm(folder, { recursive: true, force: true })
})

/** The folder of a node whose certificate is good for so long. */
const joinedFolder = async (nodeName: string, lastingSeconds: number): Promise<string> => {
  const dataDir = join(folder, nodeName)
  await mkdir(dataDir)
  const { request, key } = await createCertificateRequest(`system:node:${nodeName}`, [
    'system:nodes',
  ])
  const certificate = await signRequest(authority, {
    request,
    usages: ['digital signature', 'client auth'],
    expirationSeconds: lastingSeconds,
  })
  await saveNodeCertificate(join(dataDir, 'node.pem'), { certificate, key })
  await writeFile(join(dataDir, 'ca.crt'), authority.certificate)
  await writeFile(join(dataDir, 'node.json'), JSON.stringify({ url: cluster.url, nodeName }))
  return dataDir
}

const optionsFor = (dataDir: string, more: Partial<JoinOptions> = {}): JoinOptions => ({
  url: undefined,
  token: undefined,
  authorityHashes: [],
  authority: undefined,
  nodeName: undefined,
  dataDir,
  defaultName: 'unused',
  stopPods: true,
  onError: () => undefined,
  ...more,
})

test('a certificate that is near its end is replaced by one that the cluster signs', async () => {
  // Certificates begin five minutes ago, so this one has less than a quarter of its life left.
  const dataDir = await joinedFolder('old', 60)
  const path = join(dataDir, 'node.pem')
  const before = await readFile(path, 'utf8')
  const node = await joinNode(optionsFor(dataDir))
  await node.ready
  expect(node.nodeName).toBe('old')
  await expect.poll(() => readFile(path, 'utf8')).not.toBe(before)
  const renewed = await loadNodeCertificate(path)
  const dayMs = 24 * 60 * 60 * 1000
  expect(renewed && certificateTimes(renewed).renewAtMs).toBeGreaterThan(Date.now() + dayMs)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await node.close()
  const again = await joinNode(optionsFor(dataDir))
  await again.ready
  const { status } = await cluster.client.get<Node>(nodeType, undefined, 'old')
  expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  await again.close()
})

test('a node waits for a cluster that is not there, and says why once', async () => {
  const dataDir = await joinedFolder('early', 3600)
  const told: string[] = []
  const node = await joinNode(
    optionsFor(dataDir, {
      url: 'https://127.0.0.1:1',
      onError: (error) => told.push(String(error)),
    }),
  )
  await expect.poll(() => told.length).toBe(1)
  expect(told[0]).toContain('The connection to the server 127.0.0.1:1 was refused')
  await node.close()
  await expect(node.ready).rejects.toThrow()
  // The address that was given counts from then on.
  expect(await readFile(join(dataDir, 'node.json'), 'utf8')).toContain('https://127.0.0.1:1')
})

test('a folder that is a node of the cluster is not asked to be another one', async () => {
  const dataDir = await joinedFolder('kept', 3600)
  await expect(joinNode(optionsFor(dataDir, { nodeName: 'other' }))).rejects.toThrow(
    /is that of node kept, and --node-name asks for other/,
  )
})

test.each([
  ['node.json', '{', /node.json is damaged: remove it and join again/],
  ['node.json', '{"url":1}', /node.json is damaged/],
  ['node.pem', 'nothing', /node.pem holds no certificate with its key/],
])('a damaged %s (%s) is told with its path', async (name, content, message) => {
  const dataDir = join(folder, 'damaged')
  await rm(dataDir, { recursive: true, force: true })
  await joinedFolder('damaged', 3600)
  await writeFile(join(dataDir, name), content)
  await chmod(join(dataDir, name), 0o600)
  await expect(joinNode(optionsFor(dataDir))).rejects.toThrow(message)
})

test('a certificate that has ended needs a new token', async () => {
  const dataDir = await joinedFolder('late', -120)
  await expect(joinNode(optionsFor(dataDir))).rejects.toThrow(
    'the certificate of node late has ended: join with a new --token',
  )
})
