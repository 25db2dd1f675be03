import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectApi, type ApiConnection } from '../../client/connect-api.ts'
import { waitFor } from '../../client/wait-for.ts'
import { type Cluster, startCluster } from '../../cluster.ts'
import type { CertificateSigningRequest } from '../../resources/certificate-signing-request.ts'
import type { Condition, Stored } from '../../resources/object.ts'

const requests = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'certificatesigningrequests',
}
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
let cluster: Cluster
let api: ApiConnection
beforeAll(async () => {
  cluster = await startCluster({ agents: 0 })
  api = connectApi({ kubeconfig: cluster.kubeconfig })
})
afterAll(async () => {
  api.close()
  await cluster.close()
})

const pkcs10 = async (subject: string): Promise<string> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: subject, keys, signingAlgorithm: algorithm },
    webcrypto,
  )
  return Buffer.from(request.toString('pem')).toString('base64')
}
const ask = async (
  name: string,
  subject: string,
  spec: Partial<CertificateSigningRequest['spec']> = {},
): Promise<Stored<CertificateSigningRequest>> =>
  api.client.create(requests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: await pkcs10(subject),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      username: 'somebody-else',
      ...spec,
    },
    status: {},
  })
const decide = async (name: string, type: 'Approved' | 'Denied'): Promise<void> => {
  const current = await api.client.get<CertificateSigningRequest>(requests, undefined, name)
  const condition: Condition = { type, status: 'True', reason: 'Test', message: '' }
  const conditions = [...(current.status.conditions ?? []), condition]
  await api.client.update(requests, { ...current, status: { conditions } }, 'approval')
}
const settled = async (
  name: string,
  isDone: (status: CertificateSigningRequest['status']) => boolean,
): Promise<CertificateSigningRequest['status']> => {
  const found = await waitFor<CertificateSigningRequest>(api.client, requests, { name }, (one) =>
    isDone(one?.status ?? {}),
  )
  return found?.status ?? {}
}

test('an approved request of a client is signed by the cluster, as who really asked', async () => {
  const made = await ask('ann', 'CN=ann,O=dev', { expirationSeconds: 3600 })
  expect([made.spec.username, made.status]).toEqual(['kubernetes-admin', {}])
  await decide('ann', 'Approved')
  const { certificate = '' } = await settled('ann', (status) => status.certificate !== undefined)
  const issued = new X509Certificate(Buffer.from(certificate, 'base64'))
  expect(issued.subject.split('\n').toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    'CN=ann',
    'O=dev',
  ])
  expect(Date.parse(issued.validTo) - Date.now()).toBeLessThan(3_700_000)
  expect(issued.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  await expect(decide('ann', 'Denied')).rejects.toThrow('mutually exclusive')
})

test('what a signer does not issue fails with its reason, what is denied stays so', async () => {
  await ask('root', 'CN=root,O=system:masters')
  await decide('root', 'Approved')
  const failed = await settled('root', ({ conditions = [] }) => conditions.length === 2)
  expect(failed.conditions?.[1]).toMatchObject({
    type: 'Failed',
    message: 'nobody gets system:masters',
  })
  await ask('denied', 'CN=x')
  await decide('denied', 'Denied')
  expect(
    (await settled('denied', ({ conditions = [] }) => conditions.length === 1)).certificate,
  ).toBeUndefined()
  await expect(
    ask('junk', 'CN=x', { request: Buffer.from('junk').toString('base64') }),
  ).rejects.toThrow('PEM block type must be CERTIFICATE REQUEST')
  await expect(ask('none', 'CN=x', { usages: [], signerName: '' })).rejects.toThrow(
    /spec.usages: Required.*spec.signerName: Required/,
  )
})
