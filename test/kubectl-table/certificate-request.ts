// A CertificateSigningRequest of a user, as `openssl req` would make it.
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

export const certificateRequest = async (user: string): Promise<string> => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: `CN=${user}`, keys, signingAlgorithm: algorithm },
    webcrypto,
  )
  return `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${user}}
spec:
  request: ${Buffer.from(request.toString('pem')).toString('base64')}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
`
}
