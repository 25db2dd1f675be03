// Makes certificate authorities and certificates (EC P-256). Imported only when something has to be signed: a start on existing data
// does not pay for the X.509 library.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { KeyPair } from './certificates.ts'

export interface LeafRequest {
  /** Common name and organizations: a client's user and groups. */
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly usage: 'server' | 'client'
  readonly names: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[]
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 24 * 60 * 60 * 1000
const authorityDays = 3650
const leafDays = 365
/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000

export const createAuthority = async (name = 'balsa-ca'): Promise<KeyPair> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      serialNumber: serialNumber(),
      ...validity(authorityDays),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return { certificate: certificate.toString('pem'), key: await privatePem(keys.privateKey) }
}

export const signLeaf = async (authority: KeyPair, request: LeafRequest): Promise<KeyPair> => {
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  )
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const usage = x509.ExtendedKeyUsage[request.usage === 'server' ? 'serverAuth' : 'clientAuth']
  const { names } = request
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [
        ...request.organizations.map((organization) => ({ O: [organization] })),
        { CN: [request.commonName] },
      ],
      issuer: issuer.subject,
      serialNumber: serialNumber(),
      ...validity(leafDays),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage], false),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        ...(names.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension([...names], false)]),
      ],
    },
    webcrypto,
  )
  return { certificate: certificate.toString('pem'), key: await privatePem(keys.privateKey) }
}

const validity = (days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - backdateMs),
  notAfter: new Date(Date.now() + days * dayMs),
})

/** Positive and 128 bits long. */
const serialNumber = (): string =>
  `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
