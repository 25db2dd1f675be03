// The files of mutual TLS between members, read at the start. Names in errors are etcd's flags.
import { readFileSync } from 'node:fs'
import type { PeerTls } from '@balsa/raft'
import { KvError } from '../errors.ts'

/** PEM files. All members have certificates that the same authority signed, for listening and connecting. */
export interface PeerTlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly trustedCaFile: string
  /** Names of which every member's certificate must carry one; any certificate of the authority if left out. */
  readonly allowedNames?: readonly string[]
}

/** Throws an error that names the flag. */
export function readPeerTls({
  certFile,
  keyFile,
  trustedCaFile,
  allowedNames,
}: PeerTlsFiles): PeerTls {
  return {
    cert: readPem('--peer-cert-file', certFile),
    key: readPem('--peer-key-file', keyFile),
    ca: readPem('--peer-trusted-ca-file', trustedCaFile),
    ...(allowedNames === undefined ? {} : { namesOf: () => allowedNames }),
  }
}

function readPem(flag: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (cause) {
    const message = `${flag} '${path}' cannot be read; name a PEM file`
    throw new KvError('INTERNAL', { message, cause })
  }
  throw new KvError('INTERNAL', { message: `${flag} '${path}' holds no PEM` })
}
