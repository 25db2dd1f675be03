// The serial numbers of a certificate revocation list. As etcd does it looks at numbers only: neither the list's issuer nor its dates.
import { readFile } from 'node:fs/promises'
import { KvError } from '../errors.ts'

/** Throws an error that names the file. */
export async function readRevokedSerials(path: string): Promise<ReadonlySet<bigint>> {
  try {
    const bytes = await readFile(path)
    // Loaded only by those who have such a file: it takes longer than the rest of a start.
    await import('reflect-metadata')
    const { X509Crl, PemConverter } = await import('@peculiar/x509')
    const text = bytes.toString('latin1')
    const der = text.includes('-----BEGIN ') ? PemConverter.decodeFirst(text) : bytes
    const { entries } = new X509Crl(der)
    return new Set(entries.map(({ serialNumber }) => BigInt(`0x${serialNumber}`)))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `the certificate revocation list '${path}' cannot be read: ${why}`
    throw new KvError('INTERNAL', { message, cause })
  }
}
