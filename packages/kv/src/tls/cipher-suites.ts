// TLS as etcd's flags name it, in Go's words, as OpenSSL wants it.
import { KvError } from '../errors.ts'

export type TlsVersion = 'TLS1.2' | 'TLS1.3'

/** Of TLS 1.2; those with RC4 and 3DES are not in OpenSSL any more. */
const suites: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
}
/** Those of TLS 1.3 are always on, as in Go, which does not let one choose among them. */
const suites13 = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
]

/** OpenSSL's list for Go's names, in the order given. Throws for a name that is none. */
export function cipherListOf(names: readonly string[]): string {
  const chosen = names.flatMap((name) => {
    if (suites13.includes(name)) return []
    const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
    if (suite === undefined) {
      throw new KvError('INTERNAL', {
        message: `--cipher-suites: unexpected TLS cipher suite "${name}"`,
      })
    }
    return [suite]
  })
  return [...suites13, ...chosen].join(':')
}

const versions = { 'TLS1.2': 'TLSv1.2', 'TLS1.3': 'TLSv1.3' } as const

export interface TlsVersionRange {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
}

export function versionRangeOf(
  min: TlsVersion = 'TLS1.2',
  max: TlsVersion = 'TLS1.3',
): TlsVersionRange {
  if (min > max) {
    const message = `min version (${min}) is greater than max version (${max})`
    throw new KvError('INTERNAL', { message })
  }
  return { minVersion: versions[min], maxVersion: versions[max] }
}
