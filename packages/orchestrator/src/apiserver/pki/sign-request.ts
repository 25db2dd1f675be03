// Issues the certificate that a PKCS#10 request asks for. Imported only when something has to be signed.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { KeyPair } from './certificates.ts'

export interface CertificateOrder {
  /** PKCS#10, PEM. */
  readonly request: string
  /** As in spec.usages of a CertificateSigningRequest. */
  readonly usages: readonly string[]
  readonly expirationSeconds: number
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000
const subjectAlternativeName = '2.5.29.17'
const keyUsages: Readonly<Record<string, number>> = {
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  signing: x509.KeyUsageFlags.digitalSignature,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
}
const extendedUsages: Readonly<Record<string, string>> = {
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'server auth': x509.ExtendedKeyUsage.serverAuth,
}

/** The subject of a request: what a signer decides by. Throws Error where it is none or its signature is wrong. */
export const readRequest = async (
  pem: string,
): Promise<{ readonly commonName: string; readonly organizations: readonly string[] }> => {
  const request = new x509.Pkcs10CertificateRequest(pem)
  if (!(await request.verify(webcrypto))) throw new Error('the signature of the request is wrong')
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
  }
}

/** PEM. */
export const signRequest = async (authority: KeyPair, order: CertificateOrder): Promise<string> => {
  await readRequest(order.request)
  const request = new x509.Pkcs10CertificateRequest(order.request)
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  )
  const names = request.getExtension(subjectAlternativeName)
  const flags = order.usages.reduce((all, usage) => all | (keyUsages[usage] ?? 0), 0)
  const extended = order.usages.flatMap((usage) => extendedUsages[usage] ?? [])
  const lasting = order.expirationSeconds * 1000
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: request.subjectName.toJSON(),
      issuer: issuer.subject,
      serialNumber: `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`,
      notBefore: new Date(Date.now() - backdateMs),
      notAfter: new Date(Math.min(Date.now() + lasting, issuer.notAfter.getTime())),
      signingAlgorithm: algorithm,
      publicKey: await request.publicKey.export(webcrypto),
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(flags, true),
        ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended, false)]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        ...(names === null ? [] : [names]),
      ],
    },
    webcrypto,
  )
  return `${certificate.toString('pem')}\n`
}
