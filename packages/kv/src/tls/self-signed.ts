// Certificates that a member signs itself (--auto-tls, --peer-auto-tls): they keep listeners in the dark, not impostors out. Kept in the
// data directory as etcd keeps them, so that a restart shows the same one.
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'

export interface SelfSignedFiles {
  readonly certFile: string
  readonly keyFile: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 24 * 60 * 60 * 1000
const yearDays = 365
/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000

/** Makes `cert.pem` and `key.pem` in `directory` unless a certificate for these hosts, still good for a day, is there. */
export async function selfSignedFiles(
  directory: string,
  hosts: readonly string[],
  validityYears = 1,
): Promise<SelfSignedFiles> {
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  if (await isUsable(files.certFile, hosts)) return files
  const { cert, key } = await sign(hosts, validityYears)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await write(files.keyFile, key)
  await write(files.certFile, cert)
  return files
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600, flush: true })
  await rename(`${path}.tmp`, path)
}

async function isUsable(certFile: string, hosts: readonly string[]): Promise<boolean> {
  let text: string
  try {
    text = await readFile(certFile, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return false
    throw reason
  }
  const certificate = new X509Certificate(text)
  const isFresh = Date.parse(certificate.validTo) > Date.now() + dayMs
  return isFresh && hosts.every((host) => names(certificate, host))
}

function names(certificate: X509Certificate, host: string): boolean {
  const named = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)
  return named !== undefined
}

async function sign(
  hosts: readonly string[],
  validityYears: number,
): Promise<{ readonly cert: string; readonly key: string }> {
  // Loaded only when something has to be signed.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'O=balsa',
      // A leading 01 keeps the number positive.
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      notBefore: new Date(Date.now() - backdateMs),
      notAfter: new Date(Date.now() + validityYears * yearDays * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
      ],
    },
    webcrypto,
  )
  const exported = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  const key = x509.PemConverter.encode(exported, 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}
