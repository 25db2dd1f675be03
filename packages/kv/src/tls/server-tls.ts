// TLS of the listeners for clients: what is shown, who is believed, and the same again when files were renewed, without a restart.
import { constants } from 'node:crypto'
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { readCertificates, type CertificateFiles, type Certificates } from './certificate-files.ts'
import { cipherListOf, versionRangeOf, type TlsVersion } from './cipher-suites.ts'
import { watchFiles, type FileWatch } from './file-watch.ts'

export interface ServerTlsOptions extends CertificateFiles {
  /** Clients must show certificates, and their common names count as users. A `trustedCaFile` alone asks for certificates too. */
  readonly clientCertAuth?: boolean | undefined
  /** One of which a client's certificate must have as common name. */
  readonly allowedCommonNames?: readonly string[] | undefined
  /** Host names of which a client's certificate must be good for one. */
  readonly allowedHostnames?: readonly string[] | undefined
  /** Go's names, for TLS 1.2; Node's choice if left out. */
  readonly cipherSuites?: readonly string[] | undefined
  readonly minVersion?: TlsVersion | undefined
  readonly maxVersion?: TlsVersion | undefined
}

/** Whether a client may stay, and the common name that speaks for it. */
export type Judgement = { readonly refusal: string } | { readonly commonName: string | undefined }

export interface ServerTls {
  /** For a TLS server; of the certificates that hold now. */
  serverOptions(): TlsOptions
  judge(socket: TLSSocket): Judgement
  /** Called with new options when files were renewed. */
  onRenewed(listener: (options: TlsOptions) => void): void
  close(): void
}

export interface ServerTlsReports {
  readonly onRenewed?: ((path: string) => void) | undefined
  /** New files that cannot be used; the old certificates stay. */
  readonly onUnusable?: ((error: Error) => void) | undefined
}

/** Rejects with an error that names the flag. */
export async function openServerTls(
  options: ServerTlsOptions,
  reports: ServerTlsReports = {},
): Promise<ServerTls> {
  const fixed = fixedOptions(options)
  let certificates = await readCertificates(options, '')
  const listeners: ((options: TlsOptions) => void)[] = []
  const serverOptions = (): TlsOptions => ({
    ...fixed,
    cert: certificates.cert,
    key: certificates.key,
    ...(certificates.ca === undefined ? {} : { ca: certificates.ca }),
  })
  const { certFile, keyFile, trustedCaFile, crlFile } = options
  const paths = [certFile, keyFile, trustedCaFile, crlFile].filter((path) => path !== undefined)
  const watch: FileWatch = await watchFiles(paths, async () => {
    try {
      certificates = await readCertificates(options, '')
    } catch (reason) {
      reports.onUnusable?.(reason instanceof Error ? reason : new Error(String(reason)))
      return
    }
    for (const listener of listeners) listener(serverOptions())
    reports.onRenewed?.(certFile)
  })
  return {
    serverOptions,
    judge: (socket) => judge(socket, options, certificates),
    onRenewed: (listener) => void listeners.push(listener),
    close: () => watch.close(),
  }
}

export function asksForCertificates({ clientCertAuth, trustedCaFile }: ServerTlsOptions): boolean {
  return clientCertAuth === true || trustedCaFile !== undefined
}

function fixedOptions(options: ServerTlsOptions): TlsOptions {
  const { cipherSuites, minVersion, maxVersion } = options
  const isMutual = asksForCertificates(options)
  return {
    ...versionRangeOf(minVersion, maxVersion),
    ...(cipherSuites === undefined ? {} : { ciphers: cipherListOf(cipherSuites) }),
    requestCert: isMutual,
    // Judged by judge(), which can say why.
    rejectUnauthorized: false,
    // A resumed session would be believed without another look at its certificate.
    ...(isMutual ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    // gRPC asks for h2 alone; whoever speaks HTTP/1.1 too gets that, which serves everything else.
    ALPNCallback: ({ protocols }) =>
      ['http/1.1', 'h2'].find((protocol) => protocols.includes(protocol)),
  }
}

function judge(
  socket: TLSSocket,
  options: ServerTlsOptions,
  { revokedSerials }: Certificates,
): Judgement {
  if (!asksForCertificates(options)) return { commonName: undefined }
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return { refusal: "tls: client didn't provide a certificate" }
  if (!socket.authorized) {
    return { refusal: `tls: failed to verify certificate: ${String(socket.authorizationError)}` }
  }
  const revoked = chainOf(certificate).find((link) =>
    revokedSerials.has(BigInt(`0x${link.serialNumber}`)),
  )
  if (revoked !== undefined) {
    const serial = revoked.serialNumber.toLowerCase()
    return { refusal: `transport: certificate serial ${serial} revoked` }
  }
  const commonName = [socket.getPeerCertificate().subject.CN].flat().at(-1)
  if (!isAllowed(certificate, commonName, options)) {
    return { refusal: 'client certificate authentication failed' }
  }
  return { commonName: options.clientCertAuth === true ? commonName : undefined }
}

function isAllowed(
  certificate: X509Certificate,
  commonName: string | undefined,
  { allowedCommonNames = [], allowedHostnames = [] }: ServerTlsOptions,
): boolean {
  if (allowedCommonNames.length > 0) return allowedCommonNames.includes(commonName ?? '')
  if (allowedHostnames.length === 0) return true
  return allowedHostnames.some(
    (name) => certificate.checkHost(name, { subject: 'never' }) !== undefined,
  )
}

/** The certificate and those it leads to; the last one may have signed itself. */
function chainOf(certificate: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (
    let link: X509Certificate | undefined = certificate;
    link !== undefined && !chain.some((seen) => seen.fingerprint256 === link?.fingerprint256);
    link = link.issuerCertificate
  ) {
    chain.push(link)
  }
  return chain
}
