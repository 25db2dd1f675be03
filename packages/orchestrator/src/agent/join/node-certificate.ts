// The client certificate of a node: asked for by a CertificateSigningRequest, which the cluster's controllers approve and sign, kept with its
// key in one file of mode 0600, and replaced by a new one before it ends.
import { createPrivateKey, randomInt, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createCertificateRequest } from '../../apiserver/pki/certificate-request.ts'
import type { KeyPair } from '../../apiserver/pki/certificates.ts'
import { replaceFile } from '../../apiserver/pki/replace-file.ts'
import type { ApiClient } from '../../client/api-client.ts'
import { waitFor } from '../../client/wait-for.ts'
import {
  certificateSigningRequestType,
  hasRequestCondition,
  type CertificateSigningRequest,
} from '../../resources/certificate-signing-request.ts'
import { isMissing } from '../runtime/process-identity.ts'

const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
const signTimeoutMs = 60_000
/** How much of its life passes before it is replaced. */
const lifeShare = 0.75
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const nameLength = 22

/** `client`: of the bootstrap token, or of the node itself. Rejects with Error where nobody approves or signs. */
export const requestNodeCertificate = async (
  client: ApiClient,
  nodeName: string,
): Promise<KeyPair> => {
  const { request, key } = await createCertificateRequest(`system:node:${nodeName}`, [
    'system:nodes',
  ])
  const random = Array.from({ length: nameLength }, () => letters[randomInt(letters.length)])
  const name = `node-csr-${random.join('')}`
  await client.create<CertificateSigningRequest>(certificateSigningRequestType, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName,
      usages: ['digital signature', 'client auth'],
    },
    status: {},
  })
  const signed = await waitFor<CertificateSigningRequest>(
    client,
    certificateSigningRequestType,
    { name },
    (object) => {
      if (object === undefined) return false
      for (const refusal of ['Denied', 'Failed']) {
        if (hasRequestCondition(object, refusal))
          throw new Error(`the certificate request ${name} was refused: see kubectl describe csr`)
      }
      return (object.status.certificate ?? '') !== ''
    },
    { timeoutMs: signTimeoutMs },
  )
  const certificate = Buffer.from(signed?.status.certificate ?? '', 'base64').toString('utf8')
  return { certificate, key }
}

export const saveNodeCertificate = (path: string, pair: KeyPair): Promise<void> =>
  replaceFile(path, `${pair.certificate.trimEnd()}\n${pair.key.trimEnd()}\n`, 0o600)

/** undefined: there is none. Rejects with Error for a file that holds something else. */
export const loadNodeCertificate = async (path: string): Promise<KeyPair | undefined> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
  const certificate = pemBlock(text, 'CERTIFICATE')
  const key = pemBlock(text, 'PRIVATE KEY')
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      return { certificate, key }
  } catch (reason) {
    throw new Error(`${path} holds no certificate with its key: remove it and join again`, {
      cause: reason,
    })
  }
  throw new Error(`${path} holds a certificate with the key of another: remove it and join again`)
}

const pemBlock = (text: string, label: string): string =>
  new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----`).exec(text)?.[0] ?? ''

/** Epoch milliseconds. */
export const certificateTimes = ({
  certificate,
}: KeyPair): { readonly renewAtMs: number; readonly endsAtMs: number } => {
  const { validFrom, validTo } = new X509Certificate(certificate)
  const startsAtMs = Date.parse(validFrom)
  const endsAtMs = Date.parse(validTo)
  return { renewAtMs: startsAtMs + (endsAtMs - startsAtMs) * lifeShare, endsAtMs }
}
