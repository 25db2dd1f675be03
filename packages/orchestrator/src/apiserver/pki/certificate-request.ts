// Makes a key and a PKCS#10 request for it. Imported only when a certificate is asked for.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Both PEM. */
export const createCertificateRequest = async (
  commonName: string,
  organizations: readonly string[],
): Promise<{ readonly request: string; readonly key: string }> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const subject = [
    ...organizations.map((organization) => ({ O: [organization] })),
    { CN: [commonName] },
  ]
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: subject, keys, signingAlgorithm: algorithm },
    webcrypto,
  )
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { request: request.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
