// TLS between members from files or of the member's own making, read again when files are renewed. Names in errors are etcd's flags.
import { peerServerOptions, type PeerTls } from '@balsa/raft'
import { Server as TlsServer } from 'node:tls'
import { join } from 'node:path'
import { KvError } from '../errors.ts'
import {
  readCertificates,
  type CertificateFiles,
  type Certificates,
} from '../tls/certificate-files.ts'
import { cipherListOf, versionRangeOf, type TlsVersion } from '../tls/cipher-suites.ts'
import { watchFiles } from '../tls/file-watch.ts'
import { selfSignedFiles } from '../tls/self-signed.ts'

/** PEM files. With `trustedCaFile` all members show certificates that it signed, listening and connecting. */
export interface PeerTlsFiles extends CertificateFiles {
  /** Members show certificates also where no `trustedCaFile` is named: then Node's authorities are believed. */
  readonly clientCertAuth?: boolean
  /** Names of which every member's certificate must carry one; any certificate of the authority if left out. */
  readonly allowedNames?: readonly string[]
  readonly cipherSuites?: readonly string[]
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
}

export interface PeerTlsOptions {
  readonly peerTls?: PeerTlsFiles
  /** Without files: a certificate that the member signs itself; nobody is asked who he is. */
  readonly peerAutoTls?: boolean
  readonly selfSignedCertValidityYears?: number
  readonly dataDir?: string
  readonly listenPeerUrls?: readonly string[]
  readonly onWarning?: (message: string) => void
}

export interface OpenPeerTls {
  /** Always of the files that hold now. */
  readonly tls: PeerTls
  /** Gives a TLS server what was renewed, from now on. */
  keepFresh(server: object): void
  close(): void
}

/** Undefined: members speak plain HTTP. Rejects with an error that names the flag. */
export async function openPeerTls(options: PeerTlsOptions): Promise<OpenPeerTls | undefined> {
  const files = options.peerTls ?? (await ownFiles(options))
  if (files === undefined) return undefined
  const live = new LivePeerTls(files, options.peerTls === undefined)
  await live.read()
  const servers: TlsServer[] = []
  const { certFile, keyFile, trustedCaFile, crlFile } = files
  const paths = [certFile, keyFile, trustedCaFile, crlFile].filter((path) => path !== undefined)
  const watch = await watchFiles(paths, async () => {
    try {
      await live.read()
    } catch (reason) {
      const why = reason instanceof Error ? reason.message : String(reason)
      options.onWarning?.(`renewed certificates cannot be used: ${why}`)
      return
    }
    for (const server of servers) server.setSecureContext(peerServerOptions(live))
  })
  return {
    tls: live,
    keepFresh: (server) => {
      if (server instanceof TlsServer) servers.push(server)
    },
    close: () => watch.close(),
  }
}

async function ownFiles(options: PeerTlsOptions): Promise<PeerTlsFiles | undefined> {
  const { peerAutoTls, dataDir, listenPeerUrls = [], selfSignedCertValidityYears } = options
  if (peerAutoTls !== true) return undefined
  if (dataDir === undefined) {
    const message = '--peer-auto-tls needs a --data-dir for its certificate'
    throw new KvError('INTERNAL', { message })
  }
  const hosts = listenPeerUrls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''))
  const names = [...new Set([...hosts, 'localhost', '127.0.0.1'])]
  return selfSignedFiles(join(dataDir, 'fixtures', 'peer'), names, selfSignedCertValidityYears)
}

/** What raft's transport reads for each connection. */
class LivePeerTls implements PeerTls {
  readonly trust: 'mutual' | 'server' | 'none'
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
  readonly namesOf?: () => readonly string[]
  readonly #files: PeerTlsFiles
  #certificates: Certificates | undefined

  constructor(files: PeerTlsFiles, isSelfSigned: boolean) {
    this.#files = files
    const isMutual = files.trustedCaFile !== undefined || files.clientCertAuth === true
    this.trust = isSelfSigned ? 'none' : isMutual ? 'mutual' : 'server'
    const { minVersion, maxVersion } = versionRangeOf(files.minVersion, files.maxVersion)
    this.minVersion = minVersion
    this.maxVersion = maxVersion
    if (files.cipherSuites !== undefined) this.ciphers = cipherListOf(files.cipherSuites)
    const { allowedNames } = files
    if (allowedNames !== undefined && isMutual) this.namesOf = () => allowedNames
  }

  async read(): Promise<void> {
    this.#certificates = await readCertificates(this.#files, 'peer-')
  }

  get cert(): string {
    return this.#certificates?.cert ?? ''
  }

  get key(): string {
    return this.#certificates?.key ?? ''
  }

  get ca(): string | undefined {
    return this.#certificates?.ca
  }

  readonly isRevoked = (serialNumber: string): boolean =>
    this.#certificates?.revokedSerials.has(BigInt(`0x${serialNumber}`)) === true
}
