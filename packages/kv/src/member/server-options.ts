// The options of openMember that concern its listeners for clients: TLS, further ports, who may ask, and how much.
import { KvError } from '../errors.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { StorageOptions } from './storage-options.ts'
import type { CertificateFiles } from '../tls/certificate-files.ts'
import type { ServerTlsOptions } from '../tls/server-tls.ts'

/** Rules of TLS with clients; the files are left out with `clientAutoTls`. */
export type ClientTlsOptions = Omit<ServerTlsOptions, 'certFile' | 'keyFile'> &
  Partial<Pick<CertificateFiles, 'certFile' | 'keyFile'>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LimitOptions {
  /** Of one request; 1.5 MiB if left out. */
  readonly maxRequestBytes?: number
  /** Operations in one transaction; 128 if left out. */
  readonly maxTxnOps?: number
  /** Calls under way on one gRPC connection; 10,000 if left out. */
  readonly maxConcurrentStreams?: number
  /** gRPC clients that ping more often are sent away; 5 s if left out. */
  readonly grpcKeepaliveMinTimeMs?: number
  /** After so long without a word a gRPC client is pinged; 2 h if left out, 0 for never. */
  readonly grpcKeepaliveIntervalMs?: number
  /** How long a client that was pinged may take to answer; 20 s if left out. */
  readonly grpcKeepaliveTimeoutMs?: number
}

/** What may change while a member runs. */
export type LiveOptions = LimitOptions &
  Pick<StorageOptions, 'quotaBackendBytes' | 'autoCompactionMode' | 'autoCompactionRetention'>

export interface ServerOptions extends LimitOptions {
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

const maxRequestBytesMax = 32 * 2 ** 20

/** Throws an error that names the flag. */
export function limitsOf(options: LimitOptions): Limits {
  const { maxRequestBytes = 0 } = options
  if (maxRequestBytes > maxRequestBytesMax) {
    const message = `--max-request-bytes is ${maxRequestBytes}; it must be at most ${maxRequestBytesMax}`
    throw new KvError('INTERNAL', { message })
  }
  return {
    requestSizeBytesMax: options.maxRequestBytes ?? defaultLimits.requestSizeBytesMax,
    txnOpsMax: options.maxTxnOps ?? defaultLimits.txnOpsMax,
    concurrentStreamsMax: options.maxConcurrentStreams ?? defaultLimits.concurrentStreamsMax,
    keepAliveMinTimeMs: options.grpcKeepaliveMinTimeMs ?? defaultLimits.keepAliveMinTimeMs,
    keepAliveIntervalMs: options.grpcKeepaliveIntervalMs ?? defaultLimits.keepAliveIntervalMs,
    keepAliveTimeoutMs: options.grpcKeepaliveTimeoutMs ?? defaultLimits.keepAliveTimeoutMs,
  }
}
