// What the flags say to the command, beside the options of the member itself.

export const logLevels = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'json' | 'console'

export interface CommandSettings {
  /** Of --force-new-cluster: the cluster id as confirmation, or 'true' to ask what would be done. */
  readonly forceNewCluster: string | undefined
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** 'stderr', 'stdout', 'default', or paths of files. */
  readonly logOutputs: readonly string[]
  readonly enableLogRotation: boolean
  /** etcd's JSON: maxsize in MB, maxage in days, maxbackups, compress. */
  readonly logRotationConfig: string
}

/** How the first members find each other, if --initial-cluster does not say. */
export interface DiscoverySettings {
  readonly srvDomain?: string
  readonly srvName?: string
  readonly endpoints?: readonly string[]
  readonly token?: string
  readonly dialTimeoutMs?: number
  readonly certFile?: string
  readonly keyFile?: string
  readonly caFile?: string
  /** NAME or NAME:PASSWORD. */
  readonly user?: string
  readonly password?: string
}
