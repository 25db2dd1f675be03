// A certificate authority for one test: keys are made when it runs and never touch a disk.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 24 * 60 * 60 * 1000

export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateWishes {
  readonly commonName: string
  /** Beside 127.0.0.1 and localhost. */
  readonly names?: readonly string[]
  readonly isExpired?: boolean
}

export class TestAuthority {
  readonly ca: string
  readonly #certificate: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate
    this.#keys = keys
    this.ca = certificate.toString('pem')
  }

  static async create(name = 'test authority'): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: `CN=${name}`,
        ...validity(false),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      webcrypto,
    )
    return new TestAuthority(certificate, keys)
  }

  async sign({
    commonName,
    names = [],
    isExpired = false,
  }: CertificateWishes): Promise<TestCertificate> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${commonName}`,
        issuer: this.#certificate.subject,
        serialNumber: `01${randomBytes(8).toString('hex')}`,
        ...validity(isExpired),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'ip', value: '127.0.0.1' },
            ...['localhost', ...names].map((value) => ({ type: 'dns' as const, value })),
          ]),
        ],
      },
      webcrypto,
    )
    const exported = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
    const key = x509.PemConverter.encode(exported, 'PRIVATE KEY')
    return { cert: certificate.toString('pem'), key }
  }
}

function validity(isExpired: boolean): { notBefore: Date; notAfter: Date } {
  const end = Date.now() + (isExpired ? -dayMs : dayMs)
  return { notBefore: new Date(end - 3 * dayMs), notAfter: new Date(end) }
}
