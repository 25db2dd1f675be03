// The files of one end of TLS, read and checked as a whole: what is half renewed is not taken. Names in errors are etcd's flags.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { KvError } from '../errors.ts'
import { readRevokedSerials } from './revocation-list.ts'

export interface CertificateFiles {
  /** PEM, with what leads to the authority if that is not its issuer. */
  readonly certFile: string
  readonly keyFile: string
  /** Left out: the authorities that Node knows. */
  readonly trustedCaFile?: string | undefined
  /** Certificates of these serial numbers are refused; PEM or DER. */
  readonly crlFile?: string | undefined
}

export interface Certificates {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  readonly revokedSerials: ReadonlySet<bigint>
}

/** `prefix`: 'peer-' for the files of members. */
export async function readCertificates(
  { certFile, keyFile, trustedCaFile, crlFile }: CertificateFiles,
  prefix: '' | 'peer-',
): Promise<Certificates> {
  const [cert, key, ca, revokedSerials] = await Promise.all([
    readPem(`--${prefix}cert-file`, certFile),
    readPem(`--${prefix}key-file`, keyFile),
    trustedCaFile === undefined ? undefined : readPem(`--${prefix}trusted-ca-file`, trustedCaFile),
    crlFile === undefined ? new Set<bigint>() : readRevokedSerials(crlFile),
  ])
  checkPair(cert, key, { certFile, keyFile, prefix })
  return { cert, key, ca, revokedSerials }
}

async function readPem(flag: string, path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw bad(`${flag} '${path}' cannot be read; name a PEM file`, cause)
  }
  if (text.includes('-----BEGIN ')) return text
  throw bad(`${flag} '${path}' holds no PEM`)
}

function checkPair(
  cert: string,
  key: string,
  { certFile, keyFile, prefix }: { certFile: string; keyFile: string; prefix: string },
): void {
  let isPair: boolean
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw bad(
      `--${prefix}cert-file '${certFile}' and --${prefix}key-file '${keyFile}': ${why}`,
      cause,
    )
  }
  if (!isPair) {
    throw bad(
      `--${prefix}key-file '${keyFile}' is not the key of --${prefix}cert-file '${certFile}'`,
    )
  }
}

function bad(message: string, cause?: unknown): KvError {
  return new KvError('INTERNAL', { message, cause })
}
