// Names a certificate authority by its key, as kubeadm does: `sha256:` and the hash of the public key in DER.
import { createHash, X509Certificate } from 'node:crypto'

/** Of the first certificate in `pem`. Throws Error where there is none. */
export const certificateKeyHash = (pem: string): string => {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}
