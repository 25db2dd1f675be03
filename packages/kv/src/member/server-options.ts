// The options of openMember that concern its listeners for clients: TLS, further ports, who may ask.
import type { CertificateFiles } from '../tls/certificate-files.ts'
import type { ServerTlsOptions } from '../tls/server-tls.ts'

/** Rules of TLS with clients; the files are left out with `clientAutoTls`. */
export type ClientTlsOptions = Omit<ServerTlsOptions, 'certFile' | 'keyFile'> &
  Partial<Pick<CertificateFiles, 'certFile' | 'keyFile'>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface ServerOptions {
  /** For listen URLs of https and unixs. */
  readonly clientTls?: ClientTlsOptions
  /** Without certificate files: one that the member signs itself, kept in the data directory. */
  readonly clientAutoTls?: boolean
  /** Of certificates that the member signs itself; 1 if left out. */
  readonly selfSignedCertValidityYears?: number
  /** Served over HTTP alone; then the other client URLs are for gRPC alone. */
  readonly listenClientHttpUrls?: readonly string[]
  /** Where probes ask for metrics and health. */
  readonly listenMetricsUrls?: readonly string[]
  /** Origins whose pages may ask; all if left out. */
  readonly cors?: readonly string[]
  /** Names that requests without TLS may use for this server; all if left out. */
  readonly hostWhitelist?: readonly string[]
  /** False: no JSON over HTTP. */
  readonly enableGrpcGateway?: boolean
  /** What a server's log would say, beside `onWarning`. */
  readonly onLog?: (
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void
}
