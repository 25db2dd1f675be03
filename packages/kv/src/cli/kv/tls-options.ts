// How `balsa kv` reaches servers behind TLS: flags and variables are etcdctl's.
import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ClientTls } from '../../client/endpoint.ts'

export interface TlsFlags {
  readonly cacert?: string
  readonly cert?: string
  readonly key?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly insecureTransport: boolean
}

export function addTlsOptions(command: Command): void {
  const file = (flag: string, variable: string, description: string): Option =>
    new Option(`--${flag} <file>`, description).env(variable)
  command
    .addOption(
      file('cacert', 'ETCDCTL_CACERT', 'PEM of the authorities that servers are trusted by'),
    )
    .addOption(file('cert', 'ETCDCTL_CERT', 'PEM of the certificate to show'))
    .addOption(file('key', 'ETCDCTL_KEY', 'PEM of its key'))
    .option(
      '--insecure-skip-tls-verify',
      'trust whoever answers; for tests only',
      process.env['ETCDCTL_INSECURE_SKIP_TLS_VERIFY'] === 'true',
    )
    .addOption(
      new Option('--insecure-transport <bool>', 'false: TLS also without the flags above')
        .argParser(truth)
        .default(true)
        .env('ETCDCTL_INSECURE_TRANSPORT'),
    )
}

/** Undefined: only endpoints of https are asked over TLS. Throws with the name of a file that cannot be read. */
export function tlsOf(flags: TlsFlags): ClientTls | undefined {
  const { cacert, cert, key, insecureSkipTlsVerify = false, insecureTransport } = flags
  const files = [cacert, cert, key].some((path) => path !== undefined && path !== '')
  if (!files && !insecureSkipTlsVerify && insecureTransport) return undefined
  if (((cert ?? '') === '') !== ((key ?? '') === '')) {
    throw new Error('--cert and --key must be given together')
  }
  return {
    ...textOf('ca', 'cacert', cacert),
    ...textOf('cert', 'cert', cert),
    ...textOf('key', 'key', key),
    ...(insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
  }
}

function textOf(name: 'ca' | 'cert' | 'key', flag: string, path = ''): ClientTls {
  if (path === '') return {}
  try {
    return { [name]: readFileSync(path, 'utf8') }
  } catch (cause) {
    throw new Error(`--${flag}: ${path} cannot be read`, { cause })
  }
}

function truth(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new InvalidArgumentError('Want true or false.')
}
